// SPDX-License-Identifier: Apache-2.0
#include "loop/loop_core.hpp"
#include "net/inheritance.hpp"
#include "net/service_manager.hpp"
#include "net/supervisor.hpp"

#include <squall/base/error.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/net/cpu_count.hpp>
#include <squall/net/fork_processes.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <unistd.h>

namespace squall {
namespace {

int worker_id = -1;
UniqueFd ready_pipe;  // NOLINT: of this process

std::ptrdiff_t thread_count() {
  std::error_code error;
  const std::filesystem::directory_iterator threads("/proc/self/task", error);
  return error ? 1 : std::distance(begin(threads), end(threads));
}

}  // namespace

unsigned fork_processes(unsigned count, const ForkOptions& options) {
  if (loop::LoopCore::exists_any()) {
    throw UsageError(
        "fork_processes() with an event loop in the process: fork first, then use IOLoop, "
        "applications and clients in the workers");
  }
  if (thread_count() != 1) {
    throw UsageError("fork_processes() with several threads: fork first, then start threads");
  }
  if (worker_id >= 0) throw UsageError("this process is a worker of fork_processes() already");
  net::Supervisor::Outcome outcome;
  {
    net::Supervisor supervisor(count != 0 ? count : cpu_count(), options);
    outcome = supervisor.run();
  }
  if (!outcome.is_worker) std::exit(outcome.exit_code);
  worker_id = static_cast<int>(outcome.id);
  ready_pipe = std::move(outcome.ready_pipe);
  if (!options.wait_for_notify_ready) IOLoop::current().post([] { notify_ready(); });
  return outcome.id;
}

int task_id() noexcept { return worker_id; }

void notify_ready() noexcept {
  static std::atomic<bool> told{false};
  if (told.exchange(true)) return;
  if (worker_id >= 0) {  // its supervisor speaks for all of them
    if (!ready_pipe) return;
    [[maybe_unused]] const ssize_t written = ::write(ready_pipe.get(), "r", 1);
    ready_pipe.reset();
  } else if (net::has_predecessor()) {
    net::tell_predecessor();  // which tells the service manager, being the one it listens to
  } else {
    net::tell_service_manager("READY=1");
  }
}

}  // namespace squall
