// SPDX-License-Identifier: Apache-2.0
#include "net/tls_turn.hpp"

namespace squall::net {

TLSTurn::TLSTurn()
    : ReadyNode([](ReadyNode& node) noexcept { static_cast<TLSTurn&>(node).run_waiting(); }),
      memory_(new char[plain_bytes + gather_bytes]) {}

TLSTurn::~TLSTurn() {
  while (!waiting_.is_empty()) waiting_.take_first();
}

TLSTurn& TLSTurn::here() {
  static thread_local TLSTurn turn;
  return turn;
}

void TLSTurn::begin(loop::LoopCore& core) noexcept {
  if (core_ == &core && turn_ == core.turn()) return;
  core_ = &core;
  turn_ = core.turn();
  signed_count_ = 0;
}

bool TLSTurn::may_sign(loop::LoopCore& core) noexcept {
  begin(core);
  if (!waiting_.is_empty() || signed_count_ >= limits::tls_handshakes_per_turn) return false;
  ++signed_count_;
  return true;
}

void TLSTurn::wait(loop::LoopCore& core, detail::ReadyNode& handshake) noexcept {
  waiting_.append(handshake);
  core.make_ready(*this);
}

// The ready nodes of a turn run after its events, so this may find the turn's share used up.
void TLSTurn::run_waiting() noexcept {
  if (core_ == nullptr) return;
  begin(*core_);
  while (!waiting_.is_empty() && signed_count_ < limits::tls_handshakes_per_turn) {
    ++signed_count_;
    ReadyNode& handshake = waiting_.take_first();
    handshake.run(handshake);
  }
  if (!waiting_.is_empty()) core_->make_ready(*this);
}

}  // namespace squall::net
