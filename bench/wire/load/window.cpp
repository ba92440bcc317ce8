// SPDX-License-Identifier: Apache-2.0
#include "load/window.hpp"

#include "load/sockets.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace wire_load {
namespace {

std::uint64_t read_clock(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) throw Failure("a server process is gone");
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t nanoseconds(double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); }

std::string quoted(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    json += c >= ' ' && c <= '~' ? c : ' ';
  }
  return json + '"';
}

}  // namespace

std::uint64_t now_ns() { return read_clock(CLOCK_MONOTONIC); }

std::uint64_t cpu_ns(const std::vector<pid_t>& pids) {
  std::uint64_t total = 0;
  for (const pid_t pid : pids) {
    clockid_t clock{};
    if (::clock_getcpuclockid(pid, &clock) != 0) throw Failure("a server process is gone");
    total += read_clock(clock);
  }
  return total;
}

void announce_phase(const Options& options, const char* name) {
  if (!options.is_interactive) return;
  std::printf("{\"phase\": \"%s\"}\n", name);
  std::fflush(stdout);
  for (int c = std::getchar(); c != '\n'; c = std::getchar()) {
    if (c == EOF) throw Failure("the runner is gone");
  }
}

Window::Window(const Options& options) : options_(options) { latencies_us16_.reserve(1U << 20U); }

bool Window::is_over() {
  const auto now = now_ns();
  if (switch_ns_ == 0) switch_ns_ = now + nanoseconds(options_.warmup_seconds);
  if (now < switch_ns_) return false;
  if (state_ == State::warming_up) {
    announce_phase(options_, "start");
    state_ = State::open;
    cpu_ns_ = cpu_ns(options_.server_pids);
    opened_ns_ = now_ns();
    switch_ns_ = opened_ns_ + nanoseconds(options_.seconds);
    return false;
  }
  if (state_ == State::open) {
    cpu_ns_ = cpu_ns(options_.server_pids) - cpu_ns_;
    elapsed_ns_ = now_ns() - opened_ns_;
    state_ = State::over;
    announce_phase(options_, "end");
  }
  return true;
}

void Window::completed(std::size_t count, std::uint64_t asked_ns, std::uint64_t done_ns) {
  if (state_ != State::open) return;
  operations_ += count;
  const auto sixteenths = std::min<std::uint64_t>((done_ns - asked_ns) * 16 / 1000, UINT32_MAX);
  latencies_us16_.insert(latencies_us16_.end(), count, static_cast<std::uint32_t>(sixteenths));
}

double Window::percentile_us(double fraction) {
  if (latencies_us16_.empty()) return 0;
  const auto last = static_cast<double>(latencies_us16_.size() - 1);
  const auto at = latencies_us16_.begin() + static_cast<std::ptrdiff_t>(last * fraction);
  std::nth_element(latencies_us16_.begin(), at, latencies_us16_.end());
  return static_cast<double>(*at) / 16;
}

void Window::print(const std::string& error) {
  const double p50 = percentile_us(0.50);
  const double p99 = percentile_us(0.99);
  const bool has_failed = !error.empty() || state_ != State::over || operations_ == 0;
  std::printf(
      "{\"workload\": \"%s\", \"operations\": %llu, \"errors\": %d, \"error\": %s, "
      "\"seconds\": %.6f, \"cpu_ns\": %llu, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
      options_.workload.c_str(), static_cast<unsigned long long>(operations_), has_failed ? 1 : 0,
      quoted(error.empty() && has_failed ? "nothing was completed" : error).c_str(),
      static_cast<double>(elapsed_ns_) / 1e9, static_cast<unsigned long long>(cpu_ns_), p50, p99);
}

}  // namespace wire_load
