// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/task.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace squall::web {

class UploadSpool;

/// A file that came with a form (multipart/form-data, RFC 7578).
///
/// A small one is in memory, a large one in a temporary file that has no name and goes with this
/// object. It may be moved out of the request and outlive it.
class HTTPFile {
 public:
  HTTPFile() noexcept = default;
  HTTPFile(HTTPFile&& other) noexcept;
  HTTPFile& operator=(HTTPFile&& other) noexcept;
  ~HTTPFile();

  std::string name;      ///< of the form's field
  std::string filename;  ///< as the client says, maybe with slashes: never to be used as a path
  std::string content_type = "application/unknown";  ///< as the client says

  /// Bytes.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] bool is_in_memory() const noexcept { return spool_ == nullptr; }
  /// The file's bytes, valid as long as this is not moved. UsageError when they are not in memory.
  [[nodiscard]] std::string_view body() const;
  /// The temporary file's descriptor, this object's, to read from with pread(2); -1 when the bytes
  /// are in memory.
  [[nodiscard]] int fd() const noexcept;

  /// At most `bytes` bytes from `offset` on, less at the end, none past it. What is on disk is read
  /// on a thread of the executor. This may go while it is read. Throws std::system_error.
  [[nodiscard]] Task<std::string> read(std::uint64_t offset, std::size_t bytes) const;
  /// Writes the file under that path, in place of one that is there, which others see whole or not
  /// at all. On a thread of the executor; this may go meanwhile. Throws std::system_error.
  [[nodiscard]] Task<> save_to(std::string_view path) const;

 private:
  friend class FormReader;
  std::uint64_t size_ = 0;
  std::string memory_;
  UploadSpool* spool_ = nullptr;
};

}  // namespace squall::web
