// SPDX-License-Identifier: Apache-2.0
#include "loop/signal_watch.hpp"

#include "base/logging.hpp"
#include "loop/loop_core.hpp"

#include <squall/base/error.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace squall::loop {
namespace {

constexpr int signal_count = 65;
// The write end for each signal that a loop has, plus one; zero for none.
std::array<std::atomic<int>, signal_count> targets{};

void forward(int signal_number) {
  const int saved = errno;
  const int target = targets[static_cast<std::size_t>(signal_number)].load();
  if (target > 0) {
    const auto byte = static_cast<unsigned char>(signal_number);
    // A full pipe means that the loop is told already.
    [[maybe_unused]] const ssize_t written = ::write(target - 1, &byte, 1);
  }
  errno = saved;
}

}  // namespace

struct SignalWatch::Entry {
  MoveOnlyFunction<void()> handler;
  struct sigaction before {};
};

SignalWatch::SignalWatch(LoopCore& core) : Watch(-1), core_(core) {
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot make a pipe for signals");
  }
  read_end_.reset(ends[0]);
  write_end_.reset(ends[1]);
  fd = ends[0];
  if (const auto error = core_.engine().start_watching(*this)) {
    throw std::system_error(error, "cannot watch for signals");
  }
}

SignalWatch::~SignalWatch() {
  while (!entries_.empty()) remove(entries_.begin()->first);
  core_.engine().stop_watching(*this);
}

void SignalWatch::set(int signal_number, MoveOnlyFunction<void()> handler) {
  if (signal_number <= 0 || signal_number >= signal_count) {
    throw UsageError("there is no signal of that number");
  }
  if (const auto found = entries_.find(signal_number); found != entries_.end()) {
    found->second.handler = std::move(handler);
    return;
  }
  int expected = 0;
  if (!targets[static_cast<std::size_t>(signal_number)].compare_exchange_strong(
          expected, write_end_.get() + 1)) {
    throw UsageError("another loop has this signal: handle it there, or remove it there first");
  }
  Entry entry;
  entry.handler = std::move(handler);
  struct sigaction action {};
  action.sa_handler = &forward;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (::sigaction(signal_number, &action, &entry.before) != 0) {
    targets[static_cast<std::size_t>(signal_number)] = 0;
    throw std::system_error(errno, std::generic_category(), "cannot catch this signal");
  }
  entries_.emplace(signal_number, std::move(entry));
}

void SignalWatch::remove(int signal_number) noexcept {
  const auto found = entries_.find(signal_number);
  if (found == entries_.end()) return;
  ::sigaction(signal_number, &found->second.before, nullptr);
  targets[static_cast<std::size_t>(signal_number)] = 0;
  entries_.erase(found);
}

void SignalWatch::on_ready(unsigned /*events*/) {
  unsigned char numbers[64];
  const ssize_t got = ::read(read_end_.get(), numbers, sizeof numbers);
  for (ssize_t i = 0; i < got; ++i) {
    const auto found = entries_.find(numbers[i]);
    if (found == entries_.end()) continue;
    try {
      // It may remove or replace itself while it runs.
      auto handler = std::move(found->second.handler);
      handler();
      if (const auto again = entries_.find(numbers[i]);
          again != entries_.end() && !again->second.handler) {
        again->second.handler = std::move(handler);
      }
    } catch (const std::exception& error) {
      log::format(log::Level::error, "loop", "a signal handler threw: {}", error.what());
    }
  }
}

}  // namespace squall::loop
