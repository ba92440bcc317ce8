// SPDX-License-Identifier: Apache-2.0
#include "loop/loop_core.hpp"
#include "net/pidfd.hpp"
#include "net/share.hpp"
#include "net/spawn_process.hpp"

#include <squall/coro/event.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/net/subprocess.hpp>

#include <cerrno>
#include <cstring>
#include <signal.h>
#include <sys/wait.h>
#include <system_error>

namespace squall {

using net::detail::Share;

std::string ExitStatus::to_string() const {
  if (signal == 0) return "exit code " + std::to_string(code);
  return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

CalledProcessError::CalledProcessError(const std::string& command, ExitStatus how)
    : Error(command + " ended with " + how.to_string()), status_(how) {}

/// Watches the child's pidfd. Shared by the Subprocess and the coroutines that wait.
struct Subprocess::State final : net::detail::Counted<State>, private loop::Watch {
  State(loop::LoopCore& on, net::SpawnedProcess&& spawned, std::string what)
      : Watch(spawned.pidfd.get()),
        core(on),
        pid(spawned.pid),
        pidfd(std::move(spawned.pidfd)),
        command(std::move(what)) {
    try {
      for (std::size_t i = 0; i < 3; ++i) {
        if (spawned.pipes[i]) pipes[i] = net::Stream::adopt_pipe(spawned.pipes[i].release());
      }
      if (const std::error_code error = core.engine().start_watching(*this)) {
        throw std::system_error(error, "cannot wait for the end of " + command);
      }
      watching = true;
    } catch (...) {
      send(SIGKILL);
      reap(0);
      throw;
    }
  }
  ~State() { stop_watching(); }

  void stop_watching() noexcept {
    if (std::exchange(watching, false)) core.engine().stop_watching(*this);
  }

  void on_ready(unsigned /*events*/) override { reap(WNOHANG); }

  void reap(int flags) noexcept {
    siginfo_t how{};
    const int result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &how, WEXITED | flags);
    if (result == 0 && how.si_pid == 0) return;  // not yet
    if (result == 0 && how.si_code == CLD_EXITED) {
      status.code = how.si_status;
    } else if (result == 0) {
      status.signal = how.si_status;
    } else {
      status.code = -1;  // the program has SIGCHLD ignored, so the kernel kept nothing
    }
    stop_watching();
    exited.set();
  }

  // By the pidfd, so that it never reaches another process which got the number.
  void send(int number) noexcept {
    if (!exited.is_set()) net::send_signal(pidfd.get(), number);
  }

  loop::LoopCore& core;
  pid_t pid;
  UniqueFd pidfd;
  std::string command;
  net::Stream pipes[3];
  Event exited;
  ExitStatus status;
  bool watching = false;
  bool detached = false;
};

namespace {

template <class State>
Task<ExitStatus> wait_for(Share<State> state) {
  co_await state->exited.wait();
  co_return state->status;
}

template <class State>
Task<> reap_later(Share<State> state) {
  co_await state->exited.wait();
}

template <class State>
Task<> expect_success(Share<State> state) {
  co_await state->exited.wait();
  if (!state->status.is_success()) throw CalledProcessError(state->command, state->status);
}

}  // namespace

Subprocess::State* Subprocess::start(const Command& command, const SubprocessOptions& options) {
  net::SpawnedProcess spawned = net::spawn_process(command, options);
  return new State(loop::LoopCore::current(), std::move(spawned), command.words().front());
}

Subprocess& Subprocess::operator=(Subprocess&& other) noexcept {
  if (this != &other) {
    let_go();
    state_ = std::exchange(other.state_, nullptr);
  }
  return *this;
}

Subprocess::~Subprocess() { let_go(); }

void Subprocess::let_go() noexcept {
  State* const state = std::exchange(state_, nullptr);
  if (state == nullptr) return;
  for (net::Stream& pipe : state->pipes) pipe.close();
  if (!state->exited.is_set()) {
    if (!state->detached) state->send(SIGKILL);
    try {
      state->core.spawn(reap_later(Share<State>(state)));
    } catch (const std::exception&) {
      // No memory: a killed child is reaped by waiting for it, a detached one is left to init.
      if (!state->detached) state->reap(0);
    }
  }
  state->release();
}

int Subprocess::pid() const noexcept { return state_->pid; }
net::Stream& Subprocess::input() noexcept { return state_->pipes[0]; }
net::Stream& Subprocess::output() noexcept { return state_->pipes[1]; }
net::Stream& Subprocess::error_output() noexcept { return state_->pipes[2]; }
bool Subprocess::has_exited() const noexcept { return state_->exited.is_set(); }
void Subprocess::send_signal(int number) noexcept { state_->send(number); }
void Subprocess::terminate() noexcept { send_signal(SIGTERM); }
void Subprocess::kill() noexcept { send_signal(SIGKILL); }
void Subprocess::detach() noexcept { state_->detached = true; }

Task<ExitStatus> Subprocess::wait() { return wait_for(Share<State>(state_)); }
Task<> Subprocess::wait_for_exit() { return expect_success(Share<State>(state_)); }

}  // namespace squall
