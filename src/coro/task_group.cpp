// SPDX-License-Identifier: Apache-2.0
#include <squall/coro/task_group.hpp>

namespace squall {

struct TaskGroup::Entry : detail::Pooled {
  explicit Entry(TaskGroup& owner) noexcept : group(owner) {}
  TaskGroup& group;
  Entry* next = nullptr;
  Entry* previous = nullptr;
  detail::TaskRunner runner;
};

TaskGroup::~TaskGroup() {
  while (entries_ != nullptr) {
    Entry* const entry = std::exchange(entries_, entries_->next);
    delete entry;
  }
}

void TaskGroup::spawn(Task<> task) {
  if (running_ >= max_tasks_) {
    throw UsageError("TaskGroup is full: await join() before more tasks, or raise max_tasks");
  }
  auto* const entry = new Entry(*this);
  entry->next = entries_;
  if (entries_ != nullptr) entries_->previous = entry;
  entries_ = entry;
  ++running_;
  entry->runner.start(std::move(task), source_.state(), &TaskGroup::on_done, entry);
}

void TaskGroup::on_done(void* context, std::exception_ptr error) {
  auto* const entry = static_cast<Entry*>(context);
  TaskGroup& group = entry->group;
  if (entry->next != nullptr) entry->next->previous = entry->previous;
  (entry->previous != nullptr ? entry->previous->next : group.entries_) = entry->next;
  delete entry;
  --group.running_;
  if (error && !group.first_error_) {
    group.first_error_ = std::move(error);
    group.source_.request_stop();
  }
  if (group.running_ == 0 && group.joiner_.coroutine) {
    detail::Scheduler::current().make_ready(group.joiner_);
  }
}

void TaskGroup::JoinAwaiter::suspend(std::coroutine_handle<> waiting, detail::StopState* stop) {
  if (group_.joiner_.coroutine) {
    throw UsageError("TaskGroup::join is awaited already: one coroutine may wait for a group");
  }
  group_.joiner_.coroutine = waiting;
  suspended_ = true;
  if (stop != nullptr) stop->listen(*this);
}

void TaskGroup::JoinAwaiter::on_stop(StopNode& node) noexcept {
  static_cast<JoinAwaiter&>(node).group_.request_stop();
}

// Its coroutine is destroyed where it waits, or goes on.
void TaskGroup::JoinAwaiter::give_up() noexcept {
  suspended_ = false;
  group_.joiner_.coroutine = {};
  group_.joiner_.unlink();
}

void TaskGroup::JoinAwaiter::await_resume() {
  if (suspended_) give_up();
  if (group_.first_error_) std::rethrow_exception(std::exchange(group_.first_error_, {}));
}

}  // namespace squall
