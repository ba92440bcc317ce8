// SPDX-License-Identifier: Apache-2.0
#include <squall/base/pool.hpp>
#include <squall/coro/stop_token.hpp>

#include <new>

namespace squall::detail {

StopState* StopState::create() { return ::new (pool_allocate(sizeof(StopState))) StopState(); }

void StopState::release() noexcept {
  if (--references != 0) return;
  this->~StopState();
  pool_deallocate(this, sizeof(StopState));
}

void StopState::listen(StopNode& node) noexcept {
  if (requested) {
    node.run(node);
    return;
  }
  listeners.append(node);
}

void StopState::request_stop() noexcept {
  if (requested) return;
  requested = true;
  retain();  // a listener may drop the last reference
  while (!listeners.is_empty()) {
    StopNode& node = listeners.take_first();
    node.run(node);
  }
  release();
}

}  // namespace squall::detail
