// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/function.hpp>

#include <memory>
#include <unordered_map>

namespace squall::loop {

class LoopCore;

/// The descriptors that a program watches itself, with IOLoop::add_handler().
class FdHandlers {
 public:
  using Handler = MoveOnlyFunction<void(int fd, unsigned events)>;

  explicit FdHandlers(LoopCore& core) noexcept;
  FdHandlers(const FdHandlers&) = delete;
  FdHandlers& operator=(const FdHandlers&) = delete;
  ~FdHandlers();

  void add(int fd, Handler handler, unsigned events);
  void update(int fd, unsigned events);
  void remove(int fd) noexcept;

 private:
  class Entry;
  void run(int fd, unsigned events) noexcept;

  LoopCore& core_;
  std::unordered_map<int, std::unique_ptr<Entry>> entries_;
};

}  // namespace squall::loop
