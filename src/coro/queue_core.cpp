// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/coro/detail/queue_core.hpp>

namespace squall::detail {

QueueCore::QueueCore(std::size_t max_size)
    : getters(this,
              [](void* self) noexcept {
                auto& core = *static_cast<QueueCore*>(self);
                --core.promised_items_;
                core.settle();
              }),
      putters(this,
              [](void* self) noexcept {
                auto& core = *static_cast<QueueCore*>(self);
                --core.promised_rooms_;
                core.settle();
              }),
      max_(max_size) {
  if (max_size == 0) throw UsageError("a queue needs room for one item: give it a larger maxsize");
}

void QueueCore::settle() noexcept {
  while (free_items() > 0 && !getters.is_empty()) {
    ++promised_items_;
    getters.grant_first();
  }
  while (has_room() && !putters.is_empty()) {
    ++promised_rooms_;
    putters.grant_first();
  }
  // Not before: an item that is promised may be given back, and then another one gets it.
  if (is_drained()) getters.close();
  if (is_done()) joiners.grant_all();
}

void QueueCore::close() noexcept {
  closed_ = true;
  promised_rooms_ = 0;
  putters.close();
  putters.close_granted();
  settle();
}

void QueueCore::task_done() {
  if (unfinished_ == 0) {
    throw UsageError("task_done() was called more often than items were put into the queue");
  }
  --unfinished_;
  settle();
}

}  // namespace squall::detail
