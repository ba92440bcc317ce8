// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/content_coding.hpp"

#include <squall/loop/unique_fd.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

struct stat;

// Finding a file below a directory, safely and, if so wished, without waiting for the disk. Knows
// no loop: it may run on any thread.
namespace squall::web {

/// What tells one version of a file from another.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  static FileStamp of(const struct stat& status) noexcept;
  bool operator==(const FileStamp&) const = default;
};

enum class LoadStatus : std::uint8_t {
  ok,
  unchanged,  // the version that is known already
  directory,
  missing,     // also what leads out of the root, and what is neither file nor directory
  denied,      // EACCES
  exhausted,   // no descriptors or no memory
  failed,      // anything else; `error` says what
  would_wait,  // only the disk knows
};

/// A file as it was found: its bytes when it is small, else its descriptor.
struct LoadedFile {
  LoadStatus status = LoadStatus::missing;
  int error = 0;
  FileStamp stamp;
  bool is_small = false;
  std::string bytes;
  UniqueFd file;
};

/// Codings of files that lie beside another, best first; the first is the file itself.
inline constexpr std::size_t variant_count = 4;
struct Variant {
  http::ContentCoding coding;
  std::string_view suffix;
};
inline constexpr std::array<Variant, variant_count> variants{{{http::ContentCoding::identity, ""},
                                                              {http::ContentCoding::br, ".br"},
                                                              {http::ContentCoding::zstd, ".zst"},
                                                              {http::ContentCoding::gzip, ".gz"}}};

struct LoadOptions {
  bool follow_symlinks = false;
  bool may_wait = false;  // else would_wait where the disk must be asked
};

/// A file of this size is kept as bytes and leaves with its head in one system call.
inline constexpr std::size_t small_file_bytes = 15 * 1024;

/// Finds `path`, which has no `..`, below the directory `root`. Nothing but regular files is
/// opened: not a FIFO, not a device. `known`, if not nullptr, is not loaded again.
LoadedFile load_file(int root, const std::string& path, LoadOptions options,
                     const FileStamp* known) noexcept;

/// The first half of SHA-256 of the file as 32 digits, read piece by piece; "" when it cannot be
/// read or is changed meanwhile.
std::string hash_file(UniqueFd file, FileStamp expected);

}  // namespace squall::web
