// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/engine.hpp"
#include "loop/output_queue.hpp"
#include "loop/post_queue.hpp"
#include "loop/timer_wheel.hpp"

#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/detail/task_runner.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace squall::loop {

class SignalWatch;

/// The loop behind an IOLoop: what the rooms above use and users do not see.
class LoopCore final : public detail::Scheduler {
 public:
  LoopCore();
  LoopCore(const LoopCore&) = delete;
  LoopCore& operator=(const LoopCore&) = delete;
  ~LoopCore();

  /// The calling thread's, made with its IOLoop when there is none.
  static LoopCore& current();
  /// Whether any thread of the process has one.
  [[nodiscard]] static bool exists_any() noexcept;

  // Scheduler.
  void make_ready(detail::ReadyNode& node) noexcept override;
  void start_timer(detail::TimerNode& node, Duration delay) noexcept override;
  void stop_timer(detail::TimerNode& node) noexcept override { wheel_.stop(node); }

  /// Runs turns until stop(); nested calls are a UsageError.
  void run();
  /// Makes run() return after the turn, or at once if it is called later.
  void stop() noexcept;
  [[nodiscard]] bool is_running() const noexcept { return running_; }
  void spawn(Task<> task);

  [[nodiscard]] Engine& engine() noexcept { return *engine_; }
  [[nodiscard]] BlockPool& blocks() noexcept { return blocks_; }
  [[nodiscard]] TimerWheel& wheel() noexcept { return wheel_; }
  [[nodiscard]] std::span<char> receive_buffer() noexcept {
    return {receive_buffer_.get(), receive_buffer_bytes};
  }
  [[nodiscard]] const std::shared_ptr<PostQueue>& posts() noexcept { return posts_; }
  [[nodiscard]] SignalWatch& signals();

  /// The monotonic clock, read once a turn.
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return now_ns_ / 1'000'000; }
  [[nodiscard]] std::uint64_t now_ns() const noexcept { return now_ns_; }
  /// For tests: from now on time stands still while there is anything to do, and goes on to the
  /// next timer as soon as nothing has happened for a millisecond of true time. Turned off, it runs
  /// again from where it is: it never goes back.
  void set_virtual_time(bool on) noexcept;
  /// What runs on other threads and will post to this loop; virtual time waits for it.
  void began_outside() noexcept { ++outside_; }
  void ended_outside() noexcept { --outside_; }
  /// Counts turns; what is cached per turn compares it.
  [[nodiscard]] std::uint64_t turn() const noexcept { return turn_; }

  // For streams and engines.
  void flush_later(Stream& stream) noexcept;
  /// Frees a detached stream at the end of the turn.
  void release(Stream& stream) noexcept;
  void opened() noexcept { ++open_streams_; }
  [[nodiscard]] std::size_t open_streams() const noexcept { return open_streams_; }
  /// Those that only wait for their peer to close, all output being out, do not count.
  [[nodiscard]] std::size_t busy_streams() const noexcept { return open_streams_ - lingering_; }
  void began_to_linger() noexcept { ++lingering_; }
  void ended_to_linger() noexcept { --lingering_; }

  /// Names what runs now, for the report of a blocked loop: a text or a type's name, which lives
  /// for ever.
  void set_activity(const char* name) noexcept { activity_.store(name, std::memory_order_relaxed); }
  [[nodiscard]] const char* activity() const noexcept {
    return activity_.load(std::memory_order_relaxed);
  }
  /// When the present turn's work began, on the monotonic clock; 0 while the loop waits.
  [[nodiscard]] std::uint64_t busy_since_ns() const noexcept { return busy_since_ns_.load(); }
  void set_blocking_threshold(Duration threshold);

  static constexpr std::size_t receive_buffer_bytes = 128 * 1024;

 private:
  struct Spawned;

  [[nodiscard]] std::uint64_t clock_ns() const noexcept;
  void read_clock() noexcept;
  [[nodiscard]] bool is_idle() noexcept;
  void skip_to_next_timer() noexcept;
  void woke() noexcept;
  void run_ready() noexcept;
  void flush_all() noexcept;
  void free_closed() noexcept;
  void close_orphans() noexcept;
  [[nodiscard]] int wait_ms() noexcept;

  std::uint64_t now_ns_ = 0;
  std::uint64_t ahead_ns_ = 0;  // of the true clock; what virtual time has skipped
  std::uint64_t turn_ = 0;
  TimerWheel wheel_;
  BlockPool blocks_;
  std::unique_ptr<char[]> receive_buffer_;
  std::unique_ptr<Engine> engine_;
  std::shared_ptr<PostQueue> posts_;
  std::unique_ptr<SignalWatch> signals_;
  detail::NodeRing<detail::ReadyNode> ready_;
  Stream* flush_head_ = nullptr;
  Stream* flush_tail_ = nullptr;
  Stream* closed_ = nullptr;
  Spawned* spawned_ = nullptr;
  std::size_t open_streams_ = 0;
  std::size_t lingering_ = 0;
  std::size_t outside_ = 0;
  bool running_ = false;
  bool stop_requested_ = false;
  bool watched_ = false;
  bool virtual_time_ = false;
  std::atomic<std::uint64_t> busy_since_ns_{0};
  std::atomic<const char*> activity_{nullptr};
  std::int64_t blocking_threshold_ns_ = 100'000'000;
};

}  // namespace squall::loop
