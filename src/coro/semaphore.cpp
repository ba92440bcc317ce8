// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/coro/semaphore.hpp>

#include <cstdint>

namespace squall {

Semaphore::Semaphore(std::ptrdiff_t value) : Semaphore(value, PTRDIFF_MAX) {}

Semaphore::Semaphore(std::ptrdiff_t value, std::ptrdiff_t max)
    : waiters_(this, &pass_on), value_(value), max_(max) {
  if (value < 0) throw UsageError("a Semaphore begins with zero permits or more");
}

bool Semaphore::try_acquire() noexcept {
  if (value_ == 0) return false;
  --value_;
  return true;
}

void Semaphore::release() {
  if (value_ >= max_) {
    throw UsageError("this BoundedSemaphore has all its permits: release() once for each acquire");
  }
  give_back();
}

void Semaphore::give_back() noexcept {
  if (!waiters_.is_empty()) {
    waiters_.grant_first();
  } else if (value_ < max_) {
    ++value_;
  }
}

}  // namespace squall
