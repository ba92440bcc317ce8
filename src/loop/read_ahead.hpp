// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/task.hpp>
#include <squall/loop/unique_fd.hpp>

#include <cstddef>
#include <sys/types.h>

// A file's pages that are not in memory would make sendfile(2) wait for the disk, and the loop with
// it. So a window is looked at first, and read on the Executor when it is not there.
namespace squall::loop {

class Stream;

/// How many bytes of a file, from `offset` on, can be read without waiting; `bytes` at most. A look
/// at one page in 128 KiB, the kernel's own step of reading ahead: cheap, and right but for files
/// of which memory has lost single pages. All of them on file systems that cannot tell.
[[nodiscard]] std::size_t resident_bytes(int file, off_t offset, std::size_t bytes) noexcept;

/// What is looked at, and read, at a time.
inline constexpr std::size_t read_ahead_bytes = 1024 * 1024;

/// A stream whose output waits for the disk. Made by begin(); it ends by itself, and flushes the
/// stream if that is still there.
class ReadAhead {
 public:
  /// Reads a part of `file` on the shared Executor, on a copy of the descriptor.
  static void begin(Stream& stream, int file, off_t offset, std::size_t bytes);

  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  /// The stream is closed.
  void forget_stream() noexcept { stream_ = nullptr; }

 private:
  ReadAhead(Stream& stream, int file, off_t end) noexcept;
  ~ReadAhead();
  static Task<> run(Stream* stream, int file, UniqueFd copy, off_t offset, std::size_t bytes);

  Stream* stream_;
  int file_;   // tells it from others at the front of the output
  off_t end_;  // of what is read
};

/// For tests: replaces the question whether pages are in memory; nullptr restores it.
using ResidencyProbe = std::size_t (*)(int file, off_t offset, std::size_t bytes);
void set_residency_probe(ResidencyProbe probe) noexcept;

}  // namespace squall::loop
