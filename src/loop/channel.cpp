// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "loop/loop_core.hpp"

#include <squall/base/error.hpp>
#include <squall/loop/channel.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace squall::detail {

/// A loop on which someone waits. One function in the loop's post queue wakes all who are due.
struct ChannelCore::Port : std::enable_shared_from_this<Port> {
  explicit Port(std::shared_ptr<loop::PostQueue> queue) noexcept : posts(std::move(queue)) {}

  std::shared_ptr<loop::PostQueue> posts;
  NodeRing<ChannelNode> due;  // those whose wait has ended, until their loop hears of it
  std::size_t waiters = 0;
  bool posted = false;  // word is on its way
  Port* next = nullptr;
};

struct ChannelCore::Shared {
  std::atomic<std::size_t> references{1};
  std::mutex mutex;
  NodeRing<ChannelNode> senders;
  NodeRing<ChannelNode> receivers;
  std::vector<std::shared_ptr<Port>> ports;
};

/// Word for a loop; when the loop ends first, it is destroyed without having run.
struct ChannelCore::News {
  News(ChannelCore& of, std::shared_ptr<Port> where) noexcept : core(&of), port(std::move(where)) {
    core->retain();
  }
  News(News&& other) noexcept
      : core(std::exchange(other.core, nullptr)), port(std::move(other.port)) {}
  News& operator=(News&&) = delete;
  ~News() {
    if (core == nullptr) return;
    core->undelivered(*port);
    core->release();
  }
  void operator()() {
    ChannelCore* const of = std::exchange(core, nullptr);
    of->deliver(*port);
    of->release();
  }
  ChannelCore* core;
  std::shared_ptr<Port> port;
};

ChannelCore::ChannelCore(std::size_t max_items) : shared_(nullptr), max_(max_items) {
  if (max_items == 0) throw UsageError("a channel needs room for one item: give it a larger limit");
  shared_ = new Shared();
}

ChannelCore::~ChannelCore() { delete shared_; }

void ChannelCore::retain() noexcept { shared_->references.fetch_add(1, std::memory_order_relaxed); }

void ChannelCore::release() noexcept {
  if (shared_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

bool ChannelCore::is_closed() noexcept {
  const std::scoped_lock lock(shared_->mutex);
  return closed_;
}

std::size_t ChannelCore::size() noexcept {
  const std::scoped_lock lock(shared_->mutex);
  return free_items();
}

void ChannelCore::close() noexcept {
  const Change change(*this);
  closed_ = true;
}

ChannelCore::Change::Change(ChannelCore& core) noexcept : core_(core) {
  core_.shared_->mutex.lock();
}

ChannelCore::Change::~Change() {
  Port* const due = core_.settle();
  core_.shared_->mutex.unlock();
  core_.send_word(due);
}

ChannelCore::Port& ChannelCore::port_of_this_thread() {
  const std::shared_ptr<loop::PostQueue>& posts = loop::LoopCore::current().posts();
  auto& ports = shared_->ports;
  for (const std::shared_ptr<Port>& port : ports) {
    if (port->posts == posts) return *port;
  }
  // Loops come and go; those that have gone are forgotten here.
  std::erase_if(ports, [](const auto& port) { return port->waiters == 0 && !port->posted; });
  return *ports.emplace_back(std::make_shared<Port>(posts));
}

// With the mutex held. Gives the loops that must be sent word, once it is not held any more:
// posting takes the loop's mutex, and a post that fails comes back here.
ChannelCore::Port* ChannelCore::settle() noexcept {
  const auto end_first = [](NodeRing<ChannelNode>& ring, WaitState how) {
    auto& waiter = static_cast<ChannelWaiter&>(ring.take_first());
    waiter.state_ = how;
    waiter.port_->due.append(waiter);
  };
  NodeRing<ChannelNode>& receivers = shared_->receivers;
  NodeRing<ChannelNode>& senders = shared_->senders;
  while (free_items() > 0 && !receivers.is_empty()) {
    ++promised_items_;
    end_first(receivers, WaitState::granted);
  }
  while (!closed_ && has_room() && !senders.is_empty()) {
    ++promised_rooms_;
    end_first(senders, WaitState::granted);
  }
  while (closed_ && !senders.is_empty()) end_first(senders, WaitState::closed);
  // Not before: an item that is promised may be given back, and then another one gets it.
  while (closed_ && size_ == 0 && !receivers.is_empty()) end_first(receivers, WaitState::closed);

  Port* first = nullptr;
  for (const std::shared_ptr<Port>& port : shared_->ports) {
    if (port->due.is_empty() || port->posted) continue;
    port->posted = true;
    port->next = std::exchange(first, port.get());
  }
  return first;
}

void ChannelCore::send_word(Port* first) noexcept {
  while (first != nullptr) {
    // From the post on others may send word there too, or forget the port.
    const std::shared_ptr<Port> port = first->shared_from_this();
    first = port->next;
    try {
      port->posts->post(News(*this, port));
    } catch (const std::exception& error) {
      // Tried again when the channel is used next.
      log::format(log::Level::error, "loop", "a channel cannot wake a loop: {}", error.what());
    }
  }
}

// On the port's loop.
void ChannelCore::deliver(Port& port) noexcept {
  const std::scoped_lock lock(shared_->mutex);
  port.posted = false;
  while (!port.due.is_empty()) {
    auto& waiter = static_cast<ChannelWaiter&>(port.due.take_first());
    if (waiter.TimerNode::is_armed()) waiter.scheduler_->stop_timer(waiter);
    waiter.scheduler_->make_ready(waiter.resume_);
  }
}

// Word was refused, or the loop ended before it was read.
void ChannelCore::undelivered(Port& port) noexcept {
  bool is_there = true;
  try {
    is_there = port.posts->post([] {});  // tells whether the loop has ended
  } catch (const std::exception&) {      // it has not, but too many functions wait for it
  }
  Port* due = nullptr;
  {
    const std::scoped_lock lock(shared_->mutex);
    port.posted = false;
    if (is_there) return;
    // Whoever waits there will not resume: what they were promised is for others.
    while (!port.due.is_empty()) {
      auto& waiter = static_cast<ChannelWaiter&>(port.due.take_first());
      waiter.leave();
      waiter.state_ = WaitState::cancelled;
    }
    due = settle();
  }
  send_word(due);
}

ChannelWaiter::ChannelWaiter(ChannelCore& core, Side side, std::int64_t timeout_ns) noexcept
    : TimerNode(&on_timer), StopNode(&on_stop), core_(&core), timeout_ns_(timeout_ns), side_(side) {
  core_->retain();
}

ChannelWaiter::ChannelWaiter(ChannelWaiter&& other) noexcept
    : ChannelWaiter(*other.core_, other.side_, other.timeout_ns_) {}

ChannelWaiter::~ChannelWaiter() {
  if (TimerNode::is_armed()) scheduler_->stop_timer(*this);
  if (port_ != nullptr) {
    const ChannelCore::Change change(*core_);
    leave();
    --port_->waiters;
  }
  core_->release();
}

void ChannelWaiter::suspend(std::coroutine_handle<> waiting, StopState* stop) {
  scheduler_ = &Scheduler::current();
  resume_.coroutine = waiting;
  {
    const ChannelCore::Change change(*core_);
    port_ = &core_->port_of_this_thread();
    ++port_->waiters;
    state_ = WaitState::waiting;
    auto& shared = *core_->shared_;
    (side_ == Side::sender ? shared.senders : shared.receivers).append(*this);
  }
  if (timeout_ns_ != no_timeout) {
    scheduler_->start_timer(*this, Duration::from_nanoseconds(timeout_ns_));
  }
  if (stop != nullptr) stop->listen(*this);
}

// With the mutex held: out of the line, giving back what was promised.
void ChannelWaiter::leave() noexcept {
  ChannelNode::unlink();
  if (state_ == WaitState::granted) {
    --(side_ == Side::sender ? core_->promised_rooms_ : core_->promised_items_);
  }
}

void ChannelWaiter::on_timer(TimerNode& node) noexcept {
  auto& self = static_cast<ChannelWaiter&>(node);
  {
    const ChannelCore::Change change(*self.core_);
    // What came in time, and of which word was on its way, is kept.
    if (self.state_ == WaitState::waiting) self.state_ = WaitState::timed_out;
    self.ChannelNode::unlink();
  }
  self.StopNode::unlink();
  self.resume_.coroutine.resume();
}

void ChannelWaiter::on_stop(StopNode& node) noexcept {
  auto& self = static_cast<ChannelWaiter&>(node);
  {
    const ChannelCore::Change change(*self.core_);
    self.leave();
    self.state_ = WaitState::cancelled;
  }
  if (self.TimerNode::is_armed()) self.scheduler_->stop_timer(self);
  self.scheduler_->make_ready(self.resume_);
}

bool ChannelWaiter::was_granted() {
  StopNode::unlink();
  if (port_ != nullptr) {
    const ChannelCore::Change change(*core_);
    --std::exchange(port_, nullptr)->waiters;
  }
  const WaitState state = std::exchange(state_, WaitState::idle);
  if (state == WaitState::cancelled) throw CancelledError();
  if (state == WaitState::timed_out) throw TimeoutError("timed out");
  return state == WaitState::granted;
}

}  // namespace squall::detail
