// SPDX-License-Identifier: Apache-2.0
#include "realtime/broker_thread.hpp"

#include <squall/base/error.hpp>

#include <condition_variable>
#include <csignal>
#include <pthread.h>
#include <utility>

namespace squall::realtime {
namespace {

/// Signals are for the program's own threads: a handler must not run on this one.
class BlockedSignals {
 public:
  BlockedSignals() noexcept {
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGURG);  // the watchdog asks with it where a blocked loop stands
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

void BrokerThread::start(MoveOnlyFunction<void()> begin) {
  if (thread_.joinable()) throw UsageError("a broker is started once");
  std::condition_variable ready;
  std::unique_lock lock(mutex_);
  {
    const BlockedSignals blocked;  // the thread inherits the mask
    thread_ = std::thread([this, &ready, first = std::move(begin)]() mutable {
      IOLoop& loop = IOLoop::current();
      {
        const std::scoped_lock locked(mutex_);
        loop_ = &loop;
        loop.post(std::move(first));
        ready.notify_one();
      }
      loop.start();
    });
  }
  ready.wait(lock, [this] { return loop_ != nullptr; });
}

bool BrokerThread::post(MoveOnlyFunction<void()> function) {
  const std::scoped_lock lock(mutex_);
  if (loop_ == nullptr) return false;
  loop_->post(std::move(function));
  return true;
}

void BrokerThread::stop(MoveOnlyFunction<void()> end) {
  if (!thread_.joinable()) return;
  if (thread_.get_id() == std::this_thread::get_id()) {
    throw UsageError("a broker is not stopped in one of its own callbacks: post it to a loop");
  }
  {
    const std::scoped_lock lock(mutex_);
    IOLoop& loop = *std::exchange(loop_, nullptr);
    loop.post([&loop, last = std::move(end)]() mutable {
      if (last) last();
      loop.stop();
    });
  }
  thread_.join();
}

}  // namespace squall::realtime
