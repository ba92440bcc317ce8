// SPDX-License-Identifier: Apache-2.0
#include "web/background_tasks.hpp"

#include "base/logging.hpp"
#include "web/exchange.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/sleep.hpp>

#include <utility>

namespace squall::web {
namespace {

Task<> run_all(std::vector<Task<>> tasks, std::string request) {
  co_await sleep(Duration());  // the response goes first
  try {
    for (Task<>& task : tasks) {
      Task<> one = std::move(task);
      co_await one;
    }
  } catch (const CancelledError&) {
    throw;
  } catch (const std::exception& error) {
    log::format(log::Level::error, "app", "a background task of {} threw: {}", request,
                error.what());
  } catch (...) {
    log::format(log::Level::error, "app", "a background task of {} threw something unknown",
                request);
  }
}

}  // namespace

void BackgroundTasks::run(std::vector<Task<>> tasks, std::string request) {
  group_.spawn(run_all(std::move(tasks), std::move(request)));
}

void Exchange::add_background_task(Task<> task) {
  forbid_after_finish();
  if (!task) return;
  if (background_.size() >= limits::background_tasks) {
    throw UsageError("more background tasks than limits::background_tasks for one request");
  }
  if (background_.empty() && worker_.background().is_full()) {
    throw HTTPError(503, "too many background tasks are under way: limits::background_requests");
  }
  background_.push_back(std::move(task));
}

void Exchange::leave_background_tasks() {
  if (background_.empty()) return;
  std::vector<Task<>> tasks = std::exchange(background_, {});
  if (worker_.background().is_full()) {  // since they were added
    log::format(log::Level::error, "app", "background tasks of {} are dropped: too many run",
                head_->target());
    return;
  }
  worker_.background().run(std::move(tasks),
                           std::string(head_->method_name()) + " " + std::string(head_->target()));
}

void RequestHandler::add_background_task(Task<> task) {
  exchange().add_background_task(std::move(task));
}

}  // namespace squall::web
