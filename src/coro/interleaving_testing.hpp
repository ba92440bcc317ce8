// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/error.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/detail/task_runner.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace squall::detail {

/// A path through a tree of choices; the next run takes the next path, until all were taken.
class Choices {
 public:
  /// One of 0 .. `count` - 1.
  std::size_t choose(std::size_t count) {
    if (at_ == path_.size()) path_.push_back({0, count});
    EXPECT_EQ(path_[at_].count, count) << "the same path led elsewhere";
    return path_[at_++].taken;
  }
  /// Whether there is another path.
  bool advance() {
    at_ = 0;
    while (!path_.empty() && path_.back().taken + 1 == path_.back().count) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().taken;
    return true;
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const Choice& choice : path_) all += std::to_string(choice.taken) + ' ';
    return all;
  }

 private:
  struct Choice {
    std::size_t taken;
    std::size_t count;
  };
  std::vector<Choice> path_;
  std::size_t at_ = 0;
};

/// One run of a few tasks. At each step `Choices` decides: which of the ready coroutines goes on,
/// which timer fires, or whether a strike falls: a task is asked to stop, or destroyed.
class World final : public Scheduler {
 public:
  enum class End : std::uint8_t { running, value, cancelled, timed_out, failed, destroyed };

  explicit World(Choices& choices) noexcept : choices_(choices) {
    instance = this;
    Scheduler::set_factory([]() -> Scheduler& { return *instance; });
  }
  ~World() { Scheduler::set_factory(nullptr); }

  void make_ready(ReadyNode& node) noexcept override {
    if (!node.is_linked()) ready_.append(node);
  }
  void start_timer(TimerNode& node, Duration) noexcept override { timers_.append(node); }
  void stop_timer(TimerNode& node) noexcept override { node.unlink(); }

  /// Adds a task; when it starts is a choice too. Gives its number.
  std::size_t add(Task<> task) {
    Entry& entry = entries_.emplace_back(std::move(task));
    make_ready(entry);
    return entries_.size() - 1;
  }
  /// Makes what tasks use; it lives longer than they do.
  template <class T, class... Args>
  T& make(Args&&... args) {
    auto made = std::make_shared<T>(std::forward<Args>(args)...);
    T& object = *made;
    kept_.push_back(std::move(made));
    return object;
  }
  /// How many stop requests and destructions of tasks may fall, at any time and on any task.
  void allow(int stops, int destructions) noexcept {
    stops_ = stops;
    destructions_ = destructions;
  }

  /// Starts task `number` now.
  void begin(std::size_t number) {
    Entry& entry = entries_[number];
    entry.unlink();
    entry.run(entry);
  }
  /// Until nothing can happen any more.
  void run() {
    for (;;) {
      const std::size_t ready = count(ready_);
      const std::size_t timers = count(timers_);
      std::vector<std::pair<Entry*, bool>> strikes;
      for (Entry& entry : entries_) {
        if (entry.end != End::running) continue;
        if (stops_ > 0 && !entry.stop.stop_requested()) strikes.emplace_back(&entry, false);
        if (destructions_ > 0 && entry.runner.is_running()) strikes.emplace_back(&entry, true);
      }
      const bool quiet = ready + timers == 0;
      const std::size_t options = ready + timers + strikes.size() + (quiet ? 1 : 0);
      std::size_t choice = options > 1 ? choices_.choose(options) : 0;
      if (quiet && choice-- == 0) return;
      if (choice < ready) {
        auto& node = at(ready_, choice);
        node.unlink();
        node.run(node);
      } else if ((choice -= ready) < timers) {
        auto& node = at(timers_, choice);
        node.unlink();
        node.fire(node);
      } else {
        strike(*strikes[choice - timers].first, strikes[choice - timers].second);
      }
    }
  }

  [[nodiscard]] End end(std::size_t task) const { return entries_[task].end; }
  [[nodiscard]] bool is_running(std::size_t task) const { return end(task) == End::running; }
  [[nodiscard]] bool was_struck(std::size_t task) const { return entries_[task].struck; }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry : ReadyNode {
    explicit Entry(Task<> what) : ReadyNode(&begin), task(std::move(what)) {}
    static void begin(ReadyNode& node) noexcept {
      auto& self = static_cast<Entry&>(node);
      self.runner.start(std::move(self.task), self.stop.state(), &ended, &self);
    }
    static void ended(void* context, std::exception_ptr error) {
      auto& self = *static_cast<Entry*>(context);
      self.end = End::value;
      if (!error) return;
      try {
        std::rethrow_exception(error);
      } catch (const CancelledError&) {
        self.end = End::cancelled;
      } catch (const TimeoutError&) {
        self.end = End::timed_out;
      } catch (...) {
        self.end = End::failed;
      }
    }
    Task<> task;
    StopSource stop;
    TaskRunner runner;
    End end = End::running;
    bool struck = false;
  };

  void strike(Entry& entry, bool destroys) {
    entry.struck = true;
    if (destroys) {
      --destructions_;
      entry.end = End::destroyed;
      entry.runner.cancel();
    } else {
      --stops_;
      entry.stop.request_stop();
    }
  }
  template <class Node>
  static std::size_t count(const NodeRing<Node>& ring) {
    std::size_t number = 0;
    for (const Node* node = ring.next; node != &ring; node = node->next) ++number;
    return number;
  }
  template <class Node>
  static Node& at(NodeRing<Node>& ring, std::size_t index) {
    Node* node = ring.next;
    while (index-- > 0) node = node->next;
    return *node;
  }

  static inline World* instance = nullptr;
  Choices& choices_;
  NodeRing<ReadyNode> ready_;
  NodeRing<TimerNode> timers_;
  std::vector<std::shared_ptr<void>> kept_;
  std::deque<Entry> entries_;
  int stops_ = 0;
  int destructions_ = 0;
};

/// Runs `scenario`, which makes its tasks in the world and calls World::run(), once for each way in
/// which they can interleave. Gives how many there are; ends at the first that fails, showing it.
template <class Scenario>
std::size_t explore(Scenario scenario) {
  Choices choices;
  std::size_t runs = 0;
  do {
    World world(choices);
    scenario(world);
    ++runs;
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << "run " << runs << ", choices " << choices.text();
      break;
    }
    EXPECT_LT(runs, 3'000'000U) << "too many interleavings: make the scenario smaller";
  } while (choices.advance());
  std::printf("%zu interleavings\n", runs);
  return runs;
}

}  // namespace squall::detail
