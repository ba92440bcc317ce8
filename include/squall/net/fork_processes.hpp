// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>

#include <type_traits>

namespace squall {

/// How fork_processes() looks after its workers.
struct ForkOptions {
  /// Crashes, of all workers together, after which it gives up: it stops the others and exits
  /// with 1.
  unsigned max_restarts = 100;
  /// Before a crashed worker is started again; doubles with each crash in a row, up to the maximum.
  /// A worker that ran for ten seconds starts anew with the first.
  Duration restart_delay = Duration::from_milliseconds(100);
  Duration max_restart_delay = Duration::from_seconds(30);
  /// For a replacement to become ready in a rolling restart; past it the old worker stays.
  Duration ready_timeout = Duration::from_seconds(60);
  /// From SIGTERM to SIGKILL. Longer than Settings::shutdown_timeout of the application.
  Duration stop_timeout = Duration::from_seconds(15);
  /// Binds worker i to the i-th CPU of those that this process may use.
  bool pin_cpus = false;
  /// The worker calls notify_ready() itself; otherwise it is ready with the first turn of its loop.
  bool wait_for_notify_ready = false;
};
static_assert(std::is_trivially_destructible_v<ForkOptions>);

/// Turns this process into the supervisor of `count` workers (0: cpu_count()) and returns in each
/// of them its number, 0 to count - 1. The supervisor never returns: it exits, with 0 when every
/// worker has exited with 0 or after SIGTERM or SIGINT.
///
/// A worker that crashes, by a signal or an exit code other than 0, is started again with the same
/// number. SIGTERM and SIGINT end all workers (SIGTERM, then SIGKILL past stop_timeout); a second
/// one kills them. SIGHUP replaces them one after the other: a new worker starts, and once it is
/// ready the old one gets SIGTERM. SIGUSR1 and SIGUSR2 are passed on. Workers end (SIGTERM) when
/// the supervisor dies.
///
/// To lose no connection in a restart, bind the sockets before: then all workers share them.
///
///     auto sockets = net::bind_sockets(8888);
///     fork_processes();
///     web::Application app({...});
///     for (auto& socket : sockets) app.listen_socket(std::move(socket));
///     IOLoop::current().start();
///
/// A UsageError when an IOLoop or another thread exists already: neither survives a fork.
/// std::system_error when the first workers cannot be started.
unsigned fork_processes(unsigned count = 0, const ForkOptions& options = {});

/// The number of this worker of fork_processes(); -1 in a process that is none.
[[nodiscard]] int task_id() noexcept;

/// Tells whoever waits for it that this process serves: the supervisor of a worker (see
/// ForkOptions::wait_for_notify_ready), the predecessor of a process that
/// web::Application::restart() has started, else the service manager (READY=1, where NOTIFY_SOCKET
/// is set). An application does so by itself. Does nothing the second time.
void notify_ready() noexcept;

}  // namespace squall
