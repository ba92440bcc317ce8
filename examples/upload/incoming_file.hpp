// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/task.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

/// What has been kept of an upload.
struct KeptFile {
  std::string name;
  std::uint64_t size = 0;  // bytes
  std::string sha256;      // in hexadecimal
};

/// A file on its way from a client to a directory. It has another name until it is whole, and is
/// gone if it never is. Files are written and hashed on the executor's threads: the loop goes on.
class IncomingFile {
 public:
  explicit IncomingFile(std::string directory);
  IncomingFile(const IncomingFile&) = delete;
  IncomingFile& operator=(const IncomingFile&) = delete;
  ~IncomingFile();

  /// Takes the next bytes. Waits for the disk now and then, so that a client which is faster than
  /// the disk is held back: at most `chunk_bytes` wait in memory. Throws std::system_error.
  squall::Task<> write(std::string_view piece);

  /// Ends it under this name, or under one with a number when that is taken.
  squall::Task<KeptFile> keep(std::string name);

  /// Bytes that are on the disk.
  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }

 private:
  static constexpr std::size_t chunk_bytes = 256 * 1024;
  class Disk;
  squall::Task<> flush();

  std::shared_ptr<Disk> disk_;  // shared with the thread that works for it
  std::string chunk_;
  std::uint64_t written_ = 0;
};
