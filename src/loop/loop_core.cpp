// SPDX-License-Identifier: Apache-2.0
#include "loop/loop_core.hpp"

#include "base/log_background.hpp"
#include "base/logging.hpp"
#include "loop/clock.hpp"
#include "loop/epoll_engine.hpp"
#include "loop/signal_watch.hpp"
#include "loop/uring_engine.hpp"
#include "loop/watchdog.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <signal.h>
#include <string>
#include <string_view>
#include <utility>

namespace squall::loop {
namespace {

// Decided by measurement: docs/decisions/0009-io-uring.md.
constexpr bool auto_means_uring = true;

std::unique_ptr<Engine> make_engine(LoopCore& core) {
  const char* const wish = std::getenv("SQUALL_ENGINE");
  const std::string_view name = wish != nullptr && *wish != '\0' ? wish : "auto";
  if (name != "epoll" && name != "uring" && name != "auto") {
    throw UsageError("SQUALL_ENGINE is \"" + std::string(name) +
                     "\"; it may be epoll, uring or auto");
  }
  if (name == "uring" || (name == "auto" && auto_means_uring)) {
    std::string why;
    if (std::unique_ptr<Engine> engine = UringEngine::make(core, why)) return engine;
    static std::atomic<bool> told{false};
    if (!told.exchange(true)) {
      log::format(name == "uring" ? log::Level::warning : log::Level::info, "loop",
                  "io_uring cannot be used ({}); using epoll", why);
    }
  }
  return std::make_unique<EpollEngine>(core);
}

std::atomic<unsigned> loop_count{0};

// Writing to a peer that has left is an error code here; sendfile(2), unlike send(2), has no flag
// to keep the signal away. A handler of the program's own stays.
void ignore_broken_pipes() noexcept {
  struct sigaction now {};
  if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
    ::signal(SIGPIPE, SIG_IGN);
  }
}

}  // namespace

struct LoopCore::Spawned : detail::Pooled {
  explicit Spawned(LoopCore& core) noexcept : owner(core) {}
  LoopCore& owner;
  Spawned* next = nullptr;
  Spawned* previous = nullptr;
  StopSource stop;
  detail::TaskRunner runner;
};

LoopCore::LoopCore()
    : now_ns_(monotonic_ns()),
      wheel_(now_ms()),
      receive_buffer_(new char[receive_buffer_bytes]),
      engine_(make_engine(*this)),
      posts_(std::make_shared<PostQueue>(*engine_)) {
  ignore_broken_pipes();
  ++loop_count;
  log::tell_of_loops();
}

bool LoopCore::exists_any() noexcept { return loop_count != 0; }

LoopCore::~LoopCore() {
  --loop_count;
  posts_->close();
  while (spawned_ != nullptr) {
    Spawned* const entry = std::exchange(spawned_, spawned_->next);
    if (spawned_ != nullptr) spawned_->previous = nullptr;
    delete entry;
  }
  if (watched_) Watchdog::instance().remove(*this);
  close_orphans();
  signals_.reset();
  engine_->shut_down();
  free_closed();
  while (!ready_.is_empty()) ready_.take_first();
}

void LoopCore::make_ready(detail::ReadyNode& node) noexcept {
  if (!node.is_linked()) ready_.append(node);
}

void LoopCore::start_timer(detail::TimerNode& node, Duration delay) noexcept {
  // From the true time, not the turn's: a handler may have been busy for long.
  const std::uint64_t due =
      clock_ns() + static_cast<std::uint64_t>(std::max<std::int64_t>(delay.nanoseconds(), 0));
  node.due_ms = (due + 999'999) / 1'000'000;
  wheel_.start(node);
}

SignalWatch& LoopCore::signals() {
  if (!signals_) signals_ = std::make_unique<SignalWatch>(*this);
  return *signals_;
}

void LoopCore::set_blocking_threshold(Duration threshold) {
  blocking_threshold_ns_ = threshold.nanoseconds();
  if (running_ && watched_) Watchdog::instance().set_threshold(*this, blocking_threshold_ns_);
}

std::uint64_t LoopCore::clock_ns() const noexcept {
  return virtual_time_ ? now_ns_ : monotonic_ns() + ahead_ns_;
}

void LoopCore::set_virtual_time(bool on) noexcept {
  if (virtual_time_ == on) return;
  now_ns_ = clock_ns();
  virtual_time_ = on;
  const std::uint64_t truly = monotonic_ns();
  // Time that has stood still for long starts from the true one.
  ahead_ns_ = now_ns_ > truly ? now_ns_ - truly : 0;
}

void LoopCore::skip_to_next_timer() noexcept {
  const std::int64_t due_in = wheel_.next_due_in();
  if (due_in > 0) now_ns_ = (now_ms() + static_cast<std::uint64_t>(due_in)) * 1'000'000;
}

void LoopCore::read_clock() noexcept { now_ns_ = clock_ns(); }

void LoopCore::woke() noexcept {
  read_clock();
  ++turn_;
  busy_since_ns_.store(virtual_time_ ? monotonic_ns() : now_ns_ - ahead_ns_);
  if (watched_) Watchdog::instance().notice();
}

void LoopCore::run_ready() noexcept {
  // Only what is ready now: a coroutine that yields again waits for the next turn.
  detail::NodeRing<detail::ReadyNode> batch;
  batch.take_all(ready_);
  while (!batch.is_empty()) {
    detail::ReadyNode& node = batch.take_first();
    node.run(node);
  }
}

void LoopCore::flush_later(Stream& stream) noexcept {
  stream.next_flush_ = nullptr;
  (flush_tail_ != nullptr ? flush_tail_->next_flush_ : flush_head_) = &stream;
  flush_tail_ = &stream;
}

void LoopCore::flush_all() noexcept {
  Stream* stream = std::exchange(flush_head_, nullptr);
  flush_tail_ = nullptr;
  while (stream != nullptr) {
    Stream* const next = std::exchange(stream->next_flush_, nullptr);
    stream->flush_scheduled_ = false;
    if (stream->state_ == Stream::State::closed) {
      release(*stream);
    } else {
      try {
        stream->before_send();
        if (stream->state_ != Stream::State::closed) engine_->send(*stream);
      } catch (const std::exception& error) {
        log::format(log::Level::error, "loop", "a connection is dropped: {}", error.what());
        stream->broke(std::make_error_code(std::errc::io_error));
      }
    }
    stream = next;
  }
}

void LoopCore::release(Stream& stream) noexcept {
  if (stream.flush_scheduled_) return;  // still in the list of those to flush, which releases it
  stream.next_flush_ = closed_;
  closed_ = &stream;
}

void LoopCore::free_closed() noexcept {
  while (closed_ != nullptr) {
    Stream* const stream = std::exchange(closed_, closed_->next_flush_);
    stream->~Stream();
    detail::pool_deallocate(stream, sizeof(Stream));
    --open_streams_;
  }
}

// Streams whose owners have closed them and which still send or linger: each is in the list of
// those to flush or has a timer that limits it.
void LoopCore::close_orphans() noexcept {
  while (flush_head_ != nullptr) {
    Stream* const stream = std::exchange(flush_head_, flush_head_->next_flush_);
    stream->flush_scheduled_ = false;
    if (stream->state_ == Stream::State::closed) {
      release(*stream);
    } else if (stream->handler_ == nullptr) {
      stream->finish_close();
    }
  }
  wheel_.take_all([](detail::TimerNode& node) {
    if (node.fire != &Stream::fire_timer) return;
    Stream& stream = static_cast<Stream::Busy&>(node).stream;
    if (stream.handler_ == nullptr) stream.finish_close();
  });
  free_closed();
}

bool LoopCore::is_idle() noexcept {
  return !stop_requested_ && ready_.is_empty() && flush_head_ == nullptr && posts_->is_empty();
}

int LoopCore::wait_ms() noexcept {
  if (!is_idle()) return 0;
  const std::int64_t due_in = wheel_.next_due_in();
  if (due_in < 0) return -1;
  if (virtual_time_) return due_in > 0 ? 1 : 0;
  const std::uint64_t elapsed = clock_ns() / 1'000'000 - now_ms();
  return static_cast<int>(
      std::clamp<std::int64_t>(due_in - static_cast<std::int64_t>(elapsed), 0, 3'600'000));
}

void LoopCore::run() {
  if (running_) {
    throw UsageError(
        "this loop runs already: await the task instead of starting the loop inside a handler");
  }
  running_ = true;
  if (blocking_threshold_ns_ > 0) {
    Watchdog::instance().add(*this, blocking_threshold_ns_);
    watched_ = true;
  }
  woke();
  for (;;) {
    wheel_.advance(now_ms());
    run_ready();
    posts_->run();
    flush_all();
    free_closed();
    if (stop_requested_) {
      engine_->flush();
      free_closed();
      break;
    }
    const int timeout = wait_ms();
    set_activity(nullptr);
    busy_since_ns_.store(0, std::memory_order_relaxed);
    const bool is_busy = engine_->wait(
        timeout, [](void* self) { static_cast<LoopCore*>(self)->woke(); }, this);
    if (virtual_time_ && !is_busy && timeout > 0 && outside_ == 0 && is_idle()) {
      skip_to_next_timer();
    }
  }
  busy_since_ns_.store(0, std::memory_order_relaxed);
  if (watched_) {
    Watchdog::instance().remove(*this);
    watched_ = false;
  }
  stop_requested_ = false;
  running_ = false;
}

void LoopCore::stop() noexcept { stop_requested_ = true; }

void LoopCore::spawn(Task<> task) {
  auto* const entry = new Spawned(*this);
  entry->next = spawned_;
  if (spawned_ != nullptr) spawned_->previous = entry;
  spawned_ = entry;
  entry->runner.start(
      std::move(task), entry->stop.state(),
      [](void* context, std::exception_ptr error) {
        auto* const self = static_cast<Spawned*>(context);
        LoopCore& core = self->owner;
        if (self->next != nullptr) self->next->previous = self->previous;
        (self->previous != nullptr ? self->previous->next : core.spawned_) = self->next;
        delete self;
        if (!error) return;
        try {
          std::rethrow_exception(error);
        } catch (const CancelledError&) {  // was asked to
        } catch (const std::exception& what) {
          log::format(log::Level::error, "loop", "a spawned task threw: {}", what.what());
        } catch (...) {
          log::write(log::Level::error, "loop", "a spawned task threw something unknown");
        }
      },
      entry);
}

}  // namespace squall::loop
