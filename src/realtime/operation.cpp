// SPDX-License-Identifier: Apache-2.0
#include "realtime/operation.hpp"

#include "base/logging.hpp"
#include "loop/loop_core.hpp"

#include <squall/realtime/hub.hpp>

namespace squall::realtime::detail {

void OperationBase::arm() {
  posts_ = loop::LoopCore::current().posts();
  Status expected = Status::pending;
  // Also what is done is told by a post: after the publications that wait for this loop.
  if (!status_.compare_exchange_strong(expected, Status::armed, std::memory_order_acq_rel)) wake();
}

void OperationBase::finish() noexcept {
  if (status_.exchange(Status::done, std::memory_order_acq_rel) == Status::armed) wake();
}

void OperationBase::wake() noexcept {
  try {
    // Whoever waits may be gone when it runs, and its loop, too.
    posts_->post([share = OperationRef(*this)] { share->waiters.grant_all(); });
  } catch (const std::exception& error) {
    log::format(log::Level::error, "realtime", "a call cannot wake its loop: {}", error.what());
  }
}

OperationShare::~OperationShare() {
  if (operation_ != nullptr) operation_->release();
}

squall::detail::WaitList& OperationShare::waiters() const noexcept { return operation_->waiters; }

OperationWaiter::~OperationWaiter() {
  if (awaited_ && !finished_) operation_->abandon();
}

void OperationWaiter::arm() {
  awaited_ = true;
  operation_->arm();
}

OperationBase& OperationWaiter::finish() {
  end_or_throw();
  finished_ = true;
  return *operation_;
}

template <class T>
Result<T> take_result(OperationBase& operation) {
  return static_cast<Operation<T>&>(operation).take();
}
template Result<PublishResult> take_result(OperationBase& operation);
template Result<Subscribed> take_result(OperationBase& operation);
template Result<HistoryPage> take_result(OperationBase& operation);
template Result<PresencePage> take_result(OperationBase& operation);
template Result<PresenceCount> take_result(OperationBase& operation);
template Result<bool> take_result(OperationBase& operation);

}  // namespace squall::realtime::detail
