// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "loop/loop_core.hpp"

#include <squall/loop/executor.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <signal.h>
#include <thread>
#include <vector>

namespace squall {
namespace detail {

struct ExecutorJob::Shared {
  std::atomic<int> references{2};  // the awaiter and the worker
  std::shared_ptr<loop::PostQueue> loop;
  ExecutorAwaiterBase* awaiter = nullptr;  // the loop's thread only
  bool finished = false;                   // the loop's thread only
};

ExecutorJob::ExecutorJob() : shared_(new Shared) {
  loop::LoopCore& core = loop::LoopCore::current();
  shared_->loop = core.posts();
  core.began_outside();
}

ExecutorJob::~ExecutorJob() { delete shared_; }

void ExecutorJob::retain() noexcept { shared_->references.fetch_add(1, std::memory_order_relaxed); }

void ExecutorJob::release() noexcept {
  if (shared_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void ExecutorJob::discard() noexcept {
  loop::LoopCore::current().ended_outside();
  delete this;
}

void ExecutorJob::work() noexcept {
  try {
    run();
  } catch (...) {
    error_ = std::current_exception();
  }
  const std::shared_ptr<loop::PostQueue> loop = shared_->loop;
  // The news holds the worker's reference; dropped with it when the loop is gone.
  struct News {
    explicit News(ExecutorJob* of) noexcept : job(of) {}
    News(News&& other) noexcept : job(std::exchange(other.job, nullptr)) {}
    ~News() {
      if (job != nullptr) job->release();
    }
    ExecutorJob* job;
  };
  try {
    loop->post([news = News(this)] {
      Shared& shared = *news.job->shared_;
      loop::LoopCore::current().ended_outside();
      shared.finished = true;
      if (shared.awaiter == nullptr) return;
      const std::coroutine_handle<> waiting = std::exchange(shared.awaiter->waiting_, {});
      if (waiting) {
        shared.awaiter->StopNode::unlink();
        waiting.resume();
      }
    });
  } catch (const std::exception& error) {
    log::format(log::Level::error, "loop", "a result of the executor is lost: {}", error.what());
  }
}

ExecutorAwaiterBase::ExecutorAwaiterBase(ExecutorJob* job) noexcept
    : StopNode(&on_stop), job_(job) {
  job_->shared_->awaiter = this;
}

ExecutorAwaiterBase::~ExecutorAwaiterBase() {
  job_->shared_->awaiter = nullptr;
  job_->release();
}

bool ExecutorAwaiterBase::await_ready() const noexcept { return job_->shared_->finished; }

void ExecutorAwaiterBase::suspend(std::coroutine_handle<> waiting, StopState* stop) {
  waiting_ = waiting;
  if (stop != nullptr) stop->listen(*this);
}

void ExecutorAwaiterBase::on_stop(StopNode& node) noexcept {
  auto& self = static_cast<ExecutorAwaiterBase&>(node);
  self.cancelled_ = true;
  self.job_->retain();
  loop::LoopCore::current().posts()->post([job = self.job_] {
    auto* const awaiter = job->shared_->awaiter;
    if (awaiter != nullptr && awaiter->waiting_) std::exchange(awaiter->waiting_, {}).resume();
    job->release();
  });
}

void ExecutorAwaiterBase::throw_if_failed() {
  if (cancelled_ && !job_->shared_->finished) throw CancelledError();
  if (job_->error_) std::rethrow_exception(job_->error_);
}

}  // namespace detail

struct Executor::Pool {
  explicit Pool(std::size_t max) : max_queued(max) {}

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      condition.wait(lock, [this] { return stopping || !jobs.empty(); });
      if (stopping) return;
      detail::ExecutorJob* const job = jobs.front();
      jobs.pop_front();
      lock.unlock();
      job->work();
      lock.lock();
    }
  }

  std::mutex mutex;
  std::condition_variable condition;
  std::deque<detail::ExecutorJob*> jobs;
  std::vector<std::thread> threads;
  std::size_t max_queued;
  bool stopping = false;
};

Executor::Executor(std::size_t threads, std::size_t max_queued) : pool_(new Pool(max_queued)) {
  if (threads == 0) {
    threads = std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()) + 4, 32);
  }
  // Signals go to the program's own threads.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  for (std::size_t i = 0; i < threads; ++i) {
    pool_->threads.emplace_back([pool = pool_] { pool->work(); });
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Executor::~Executor() {
  {
    const std::scoped_lock lock(pool_->mutex);
    pool_->stopping = true;
  }
  pool_->condition.notify_all();
  for (std::thread& thread : pool_->threads) thread.join();
  for (detail::ExecutorJob* job : pool_->jobs) job->release();
  delete pool_;
}

Executor& Executor::shared() {
  static Executor executor;
  return executor;
}

void Executor::submit(detail::ExecutorJob* job) {
  {
    const std::scoped_lock lock(pool_->mutex);
    if (pool_->jobs.size() < pool_->max_queued) {
      pool_->jobs.push_back(job);
      pool_->condition.notify_one();
      return;
    }
  }
  job->discard();
  throw Error("the executor's queue is full: its threads are slower than the work that comes");
}

}  // namespace squall
