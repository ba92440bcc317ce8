// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/exchange.hpp"

#include <squall/base/pool.hpp>
#include <squall/web/request_body.hpp>

#include <string>
#include <string_view>

namespace squall::web {

/// The body of a request whose handler takes it in pieces: holds what has come and was not read
/// yet, and has the connection pause when that is enough.
class BodyStream : public squall::detail::Pooled {
 public:
  /// Nothing comes before start().
  explicit BodyStream(server::ResponseWriter& writer) noexcept : writer_(&writer) {
    writer.pause_body();
  }
  BodyStream(const BodyStream&) = delete;
  BodyStream& operator=(const BodyStream&) = delete;
  ~BodyStream() { close(); }

  void start() noexcept { go_on(); }
  [[nodiscard]] bool has_begun() const noexcept { return begun_; }

  // From the connection.
  void received(std::string_view piece);
  void complete() noexcept;
  /// No more comes, and the writer is gone.
  void close() noexcept;

  // For the awaiter.
  [[nodiscard]] bool has_something() const noexcept {
    return !arrived_.empty() || complete_ || writer_ == nullptr;
  }
  void wait(BodyAwaiter& waiter);
  void forget(BodyAwaiter& waiter) noexcept;
  void resume_later(BodyAwaiter& waiter) noexcept;
  /// Empty at the end; throws StreamClosedError when there is none.
  std::string_view take();

 private:
  void go_on() noexcept;
  void wake() noexcept;

  server::ResponseWriter* writer_;
  BodyAwaiter* waiter_ = nullptr;
  std::string arrived_;
  std::string taken_;  // what the last take() gave
  bool begun_ = false;
  bool paused_ = true;
  bool complete_ = false;
};

}  // namespace squall::web
