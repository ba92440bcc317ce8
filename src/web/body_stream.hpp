// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/request_body.hpp>

#include <string>
#include <string_view>

namespace squall::web {

/// The body of a request whose handler takes it in pieces: holds what has come and was not read
/// yet, and has those before it pause when that is enough.
class BodyStream {
 public:
  /// Whom the bytes come from.
  class Upstream {
   public:
    /// No received() until go_on().
    virtual void hold() noexcept = 0;
    virtual void go_on() noexcept = 0;

   protected:
    ~Upstream() = default;
  };

  explicit BodyStream(Upstream& upstream) noexcept : upstream_(&upstream) {}
  BodyStream(const BodyStream&) = delete;
  BodyStream& operator=(const BodyStream&) = delete;
  ~BodyStream() { close(); }

  // From those before it.
  void received(std::string_view piece);
  void complete() noexcept;
  /// No more comes, because of this; who reads hears it.
  void fail(int status, std::string why) noexcept;
  /// No more comes, because nobody is there to send it.
  void close() noexcept;

  // For the awaiter.
  [[nodiscard]] bool has_something() const noexcept {
    return !arrived_.empty() || complete_ || upstream_ == nullptr;
  }
  void wait(BodyAwaiter& waiter);
  void forget(BodyAwaiter& waiter) noexcept;
  void resume_later(BodyAwaiter& waiter) noexcept;
  /// Empty at the end; throws HTTPError for what failed, StreamClosedError when the client is gone.
  std::string_view take();

 private:
  void wake() noexcept;

  Upstream* upstream_;
  BodyAwaiter* waiter_ = nullptr;
  std::string arrived_;
  std::string taken_;  // what the last take() gave
  std::string why_;    // it failed
  int failed_status_ = 0;
  bool holding_ = false;
  bool complete_ = false;
};

}  // namespace squall::web
