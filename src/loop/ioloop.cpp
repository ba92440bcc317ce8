// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "loop/fd_handlers.hpp"
#include "loop/loop_core.hpp"
#include "loop/signal_watch.hpp"

#include <squall/coro/with_timeout.hpp>
#include <squall/loop/ioloop.hpp>

#include <algorithm>
#include <memory>
#include <unordered_map>

namespace squall {
namespace {

thread_local IOLoop* current_loop = nullptr;

detail::Scheduler& current_scheduler() { return IOLoop::current().core(); }

// Before the first loop: a coroutine may wait for something on a thread that has none yet.
[[maybe_unused]] const bool factory_is_set = [] {
  detail::Scheduler::set_factory(&current_scheduler);
  return true;
}();

}  // namespace

// Timers of call_later(), by number: a handle stays harmless after its timer is gone.
struct IOLoop::Timers {
  struct Timer : detail::TimerNode, detail::Pooled {
    Timer(Timers& all, std::uint64_t number, MoveOnlyFunction<void()> what)
        : TimerNode(&fire_now), owner(all), id(number), function(std::move(what)) {}
    Timers& owner;
    std::uint64_t id;
    MoveOnlyFunction<void()> function;

    static void fire_now(TimerNode& node) noexcept {
      auto& self = static_cast<Timer&>(node);
      const std::unique_ptr<Timer> timer(&self);
      self.owner.by_id.erase(self.id);
      try {
        self.function();
      } catch (const std::exception& error) {
        log::format(log::Level::error, "loop", "a timer's function threw: {}", error.what());
      } catch (...) {
        log::write(log::Level::error, "loop", "a timer's function threw something unknown");
      }
    }
  };

  explicit Timers(loop::LoopCore& of) noexcept : core(of) {}
  ~Timers() {
    for (const auto& [id, timer] : by_id) {
      core.stop_timer(*timer);
      delete timer;
    }
  }

  loop::LoopCore& core;
  std::uint64_t last_id = 0;
  std::unordered_map<std::uint64_t, Timer*> by_id;
};

IOLoop& IOLoop::current() {
  struct Owner {
    ~Owner() { delete std::exchange(current_loop, nullptr); }
  };
  if (current_loop == nullptr) {
    static thread_local Owner owner;
    static_cast<void>(owner);
    current_loop = new IOLoop();
  }
  return *current_loop;
}

loop::LoopCore& loop::LoopCore::current() { return IOLoop::current().core(); }

IOLoop::IOLoop()
    : core_(new loop::LoopCore()),
      timers_(new Timers(*core_)),
      fd_handlers_(new loop::FdHandlers(*core_)) {}

IOLoop::~IOLoop() {
  // What ends now may still ask for the current loop.
  current_loop = this;
  delete fd_handlers_;
  delete timers_;
  delete core_;
  current_loop = nullptr;
}

void IOLoop::start() { core_->run(); }

void IOLoop::stop() noexcept { core_->stop(); }

void IOLoop::run_until_done(Task<> task, Duration timeout) {
  if (core_->is_running()) {
    throw UsageError("run_sync inside a running loop: co_await the task instead");
  }
  if (timeout.nanoseconds() > 0) task = with_timeout(timeout, std::move(task));
  // Started from within the loop, so that the task finds it running.
  struct Run : detail::ReadyNode {
    Run(loop::LoopCore& on, Task<> what) : ReadyNode(&begin), core(on), task(std::move(what)) {}
    static void begin(ReadyNode& node) noexcept {
      auto& self = static_cast<Run&>(node);
      self.runner.start(std::move(self.task), self.stop.state(), &ended, &self);
    }
    static void ended(void* context, std::exception_ptr what) {
      auto& self = *static_cast<Run*>(context);
      self.error = std::move(what);
      self.done = true;
      self.core.stop();
    }
    loop::LoopCore& core;
    Task<> task;
    StopSource stop;
    detail::TaskRunner runner;
    std::exception_ptr error;
    bool done = false;
  } run(*core_, std::move(task));
  core_->make_ready(run);
  core_->run();
  if (!run.done) throw Error("the loop was stopped before the task had ended");
  if (run.error) std::rethrow_exception(run.error);
}

void IOLoop::post(MoveOnlyFunction<void()> function) { core_->posts()->post(std::move(function)); }

TimeoutHandle IOLoop::call_later(Duration delay, MoveOnlyFunction<void()> function) {
  const std::uint64_t id = ++timers_->last_id;
  auto timer = std::make_unique<Timers::Timer>(*timers_, id, std::move(function));
  timers_->by_id.emplace(id, timer.get());
  core_->start_timer(*timer.release(), delay);
  return TimeoutHandle(id);
}

TimeoutHandle IOLoop::call_at(TimePoint when, MoveOnlyFunction<void()> function) {
  return call_later(when - time(), std::move(function));
}

void IOLoop::remove_timeout(TimeoutHandle timeout) noexcept {
  const auto found = timers_->by_id.find(timeout.id_);
  if (found == timers_->by_id.end()) return;
  Timers::Timer* const timer = found->second;
  timers_->by_id.erase(found);
  core_->stop_timer(*timer);
  delete timer;
}

void IOLoop::spawn(Task<> task) { core_->spawn(std::move(task)); }

void IOLoop::add_handler(int fd, MoveOnlyFunction<void(int fd, unsigned events)> handler,
                         unsigned events) {
  fd_handlers_->add(fd, std::move(handler), events);
}

void IOLoop::update_handler(int fd, unsigned events) { fd_handlers_->update(fd, events); }

void IOLoop::remove_handler(int fd) noexcept { fd_handlers_->remove(fd); }

void IOLoop::add_signal_handler(int signal_number, MoveOnlyFunction<void()> handler) {
  core_->signals().set(signal_number, std::move(handler));
}

void IOLoop::remove_signal_handler(int signal_number) noexcept {
  core_->signals().remove(signal_number);
}

TimePoint IOLoop::time() const noexcept {
  return TimePoint::from_nanoseconds(static_cast<std::int64_t>(core_->now_ns()));
}

void IOLoop::set_blocking_threshold(Duration threshold) {
  core_->set_blocking_threshold(threshold);
}

std::string_view IOLoop::engine_name() const noexcept { return core_->engine().name(); }

}  // namespace squall
