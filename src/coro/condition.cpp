// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/coro/condition.hpp>

namespace squall {

void Condition::notify(std::size_t n) noexcept {
  for (; n > 0 && !waiters_.is_empty(); --n) waiters_.grant_first();
}

bool Condition::TimedWaitAwaiter::await_resume() {
  const detail::WaitState state = end();
  if (state == detail::WaitState::cancelled) throw CancelledError();
  return state == detail::WaitState::granted;
}

}  // namespace squall
