// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/coro/detail/scheduler.hpp>

#include <atomic>

namespace squall::detail {
namespace {
std::atomic<Scheduler& (*)()> current_factory{nullptr};
}

Scheduler& Scheduler::current() {
  auto* const factory = current_factory.load(std::memory_order_acquire);
  if (factory == nullptr) {
    throw UsageError("there is no event loop in this program: link the loop room or use IOLoop");
  }
  return factory();
}

void Scheduler::set_factory(Scheduler& (*factory)()) noexcept {
  current_factory.store(factory, std::memory_order_release);
}

}  // namespace squall::detail
