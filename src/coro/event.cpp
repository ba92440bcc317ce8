// SPDX-License-Identifier: Apache-2.0
#include <squall/coro/event.hpp>

namespace squall {

void Event::set() noexcept {
  is_set_ = true;
  waiters_.grant_all();
}

}  // namespace squall
