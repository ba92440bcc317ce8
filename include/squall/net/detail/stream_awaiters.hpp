// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/result.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/detail/waiter.hpp>
#include <squall/coro/stop_token.hpp>
#include <squall/coro/task.hpp>
#include <squall/net/detail/share.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::net::detail {

class StreamCore;

extern template class Share<StreamCore>;

/// One wait of a coroutine for a stream. It lives in the coroutine's frame, so waiting allocates
/// nothing and destroying the coroutine ends it.
class StreamWait : private squall::detail::StopNode {
 public:
  StreamWait(const StreamWait&) = delete;
  StreamWait& operator=(const StreamWait&) = delete;

  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    suspend(waiting, squall::detail::stop_state_of(waiting));
  }

 protected:
  friend class StreamCore;
  enum class Slot : std::uint8_t { reader, writer };

  StreamWait(StreamCore* core, Slot slot) noexcept : StopNode(&on_stop), core_(core), slot_(slot) {}
  ~StreamWait();
  void throw_if_cancelled();
  [[nodiscard]] bool in_slot() const noexcept { return in_slot_; }

  Share<StreamCore> core_;
  std::error_code error_{};

 private:
  void suspend(std::coroutine_handle<> waiting, squall::detail::StopState* stop);
  static void on_stop(StopNode& node) noexcept;

  squall::detail::ResumeNode resume_;
  Slot slot_;
  bool in_slot_ = false;
  bool cancelled_ = false;
};

enum class ReadKind : std::uint8_t {
  some,
  into,
  exactly,
  until,
  line,
  regex,
  until_close,
  handshake,  // takes nothing: waits until TLS has begun
};

/// What all reads have in common. The stream's core tells when one has what it wants; the bytes
/// are taken in await_resume(), so that a read which is cancelled has taken none.
class ReadWait : public StreamWait {
 public:
  [[nodiscard]] bool await_ready();

 protected:
  friend class StreamCore;
  ReadWait(StreamCore* core, ReadKind kind, std::span<char> target) noexcept
      : StreamWait(core, Slot::reader), target_(target), kind_(kind) {}
  ReadWait(StreamCore* core, ReadKind kind, std::size_t limit, std::string_view text)
      : StreamWait(core, Slot::reader), text_(text), limit_(limit), kind_(kind) {}
  ~ReadWait();
  Result<std::size_t> take_count();
  Result<std::string> take_string();

 private:
  /// It leaves its slot: what it has taken for nothing goes back.
  void settle() noexcept;

  std::span<char> target_{};
  std::string text_{};        // the delimiter or the pattern
  std::size_t limit_ = 0;     // bytes wanted, or the most that may come
  std::size_t found_ = 0;     // bytes that make up the result
  std::size_t skipped_ = 0;   // bytes behind them that nobody gets: a line's end
  std::size_t progress_ = 0;  // bytes searched in vain, or in target_ already
  ReadKind kind_;
};

class ReadCountAwaiter final : public ReadWait {
 public:
  ReadCountAwaiter(StreamCore* core, ReadKind kind, std::span<char> target) noexcept
      : ReadWait(core, kind, target) {}
  Result<std::size_t> await_resume() { return take_count(); }
};

class ReadStringAwaiter final : public ReadWait {
 public:
  ReadStringAwaiter(StreamCore* core, ReadKind kind, std::size_t limit, std::string_view text = {})
      : ReadWait(core, kind, limit, text) {}
  Result<std::string> await_resume() { return take_string(); }
};

/// A read too, so that nobody else reads meanwhile.
class HandshakeAwaiter final : public ReadWait {
 public:
  explicit HandshakeAwaiter(StreamCore* core) noexcept
      : ReadWait(core, ReadKind::handshake, std::span<char>()) {}
  Result<void> await_resume();
};

class WriteAwaiter final : public StreamWait {
 public:
  /// Ready when at most `mark` bytes of output wait; at once when there is an `error`.
  WriteAwaiter(StreamCore* core, std::size_t mark, std::error_code error) noexcept
      : StreamWait(core, Slot::writer), mark_(mark) {
    error_ = error;
  }
  [[nodiscard]] bool await_ready() noexcept;
  Result<void> await_resume();

 private:
  std::size_t mark_;
};

/// The reference is a base, so that it outlives the place in line.
class ClosedAwaiter final : private Share<StreamCore>, public squall::detail::Waiter {
 public:
  explicit ClosedAwaiter(StreamCore* core) noexcept;
  [[nodiscard]] bool await_ready() const noexcept;
  std::error_code await_resume();
};

}  // namespace squall::net::detail
