// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "log/rotation.hpp"

#include <squall/log/output.hpp>

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace squall::log {

/// A log's file: appends whole lines, rotates, and notices when somebody has moved it. One thread
/// at a time; other processes may do the same with the same file.
class LogFile {
 public:
  /// Throws std::system_error when the file cannot be opened.
  LogFile(const OutputOptions& options, std::time_t now);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile();

  /// Appends lines, each with its line feed. Returns how many of them could not be written; the
  /// reason then goes to standard error, at most once a minute.
  std::uint64_t write(std::string_view lines, std::time_t now);
  /// The next write() opens the file anew.
  void reopen() noexcept { must_reopen_ = true; }
  /// Closes it until the next write().
  void close() noexcept;

 private:
  bool open(std::time_t now);
  [[nodiscard]] bool is_elsewhere() const noexcept;
  std::uint64_t append(std::string_view lines, std::time_t now);
  /// Puts the file aside unless another process has, and opens the new one.
  void rotate(std::time_t now);
  void shift_numbered();
  void move_dated();
  void complain(const char* what, int error, std::time_t now);

  std::string path_;
  Rotation rotation_;
  std::uint64_t max_bytes_;
  unsigned backups_;
  std::optional<Schedule> schedule_;
  std::time_t rotate_at_ = 0;   // by time
  std::time_t looked_at_ = 0;   // last time that the path was compared with what is open
  std::time_t retry_at_ = 0;    // after a rotation that failed
  std::time_t complained_ = 0;  // last time that standard error was told
  std::uint64_t size_ = 0;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  int fd_ = -1;
  bool must_reopen_ = false;
  bool is_torn_ = false;  // the last line in the file has no end
};

}  // namespace squall::log
