// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace squall {

/// Owns a file descriptor and closes it in the end.
class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// Gives the descriptor up to the caller.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  /// Closes what it has and owns `fd` instead.
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) close_now();
    fd_ = fd;
  }

 private:
  void close_now() noexcept;

  int fd_ = -1;
};

}  // namespace squall
