// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/loop_core.hpp"

#include <squall/base/limits.hpp>
#include <squall/coro/detail/scheduler.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace squall::net {

/// What the TLS connections of one thread share: their working memory, and how many private-key
/// operations a turn of the loop may spend. An operation takes up to a millisecond; without a limit
/// a crowd of new clients would stop those that are connected.
class TLSTurn final : private detail::ReadyNode {
 public:
  /// The calling thread's.
  static TLSTurn& here();

  TLSTurn(const TLSTurn&) = delete;
  TLSTurn& operator=(const TLSTurn&) = delete;
  ~TLSTurn();

  /// Whether a handshake may go on now; if not it must wait().
  [[nodiscard]] bool may_sign(loop::LoopCore& core) noexcept;
  /// Runs `handshake`, with a right to sign, when its turn has come; first come, first served.
  void wait(loop::LoopCore& core, detail::ReadyNode& handshake) noexcept;

  /// Where records are decrypted to.
  [[nodiscard]] std::span<char> plain_buffer() noexcept { return {memory_.get(), plain_bytes}; }
  /// Where the parts of a record are brought together.
  [[nodiscard]] std::span<char> gather_buffer() noexcept {
    return {memory_.get() + plain_bytes, gather_bytes};
  }

  static constexpr std::size_t record_bytes = 16 * 1024;  // RFC 8446 §5.1

 private:
  static constexpr std::size_t plain_bytes = 4 * record_bytes;
  static constexpr std::size_t gather_bytes = 4 * record_bytes;

  TLSTurn();
  void begin(loop::LoopCore& core) noexcept;
  void run_waiting() noexcept;

  std::unique_ptr<char[]> memory_;
  detail::NodeRing<detail::ReadyNode> waiting_;
  loop::LoopCore* core_ = nullptr;  // that of `turn_`, and of those that wait
  std::uint64_t turn_ = 0;
  std::size_t signed_count_ = 0;  // in this turn
};

}  // namespace squall::net
