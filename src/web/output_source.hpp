// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/output_awaiter.hpp>

#include <cstddef>

namespace squall::web {

/// Something that writes to a client, and whose output coroutines may wait for: an exchange, a
/// WebSocket's session. Waiters resume in a turn to come, never inside a call made here.
class OutputSource {
 public:
  OutputSource() noexcept = default;
  OutputSource(const OutputSource&) = delete;
  OutputSource& operator=(const OutputSource&) = delete;

  /// Bytes that have not left yet.
  [[nodiscard]] virtual std::size_t pending_bytes() const noexcept = 0;

 protected:
  ~OutputSource() = default;
  /// Leads to output_is_out() once nothing is pending.
  virtual void request_drain_notice() noexcept = 0;

  /// Resumes those who wait.
  void output_is_out() noexcept;
  /// Resumes them with StreamClosedError; the source may end after this.
  void client_is_gone() noexcept;

 private:
  friend class OutputAwaiter;
  void wait(OutputAwaiter& waiter) noexcept;
  void forget(OutputAwaiter& waiter) noexcept;
  void resume_later(OutputAwaiter& waiter) noexcept;

  OutputAwaiter* waiters_ = nullptr;
};

}  // namespace squall::web
