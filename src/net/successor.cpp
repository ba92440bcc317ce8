// SPDX-License-Identifier: Apache-2.0
#include "net/successor.hpp"

#include "loop/forks.hpp"
#include "net/exec_strings.hpp"
#include "net/inheritance.hpp"
#include "net/pidfd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <limits.h>
#include <signal.h>
#include <string>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

extern char** environ;  // NOLINT: POSIX

namespace squall::net {
namespace {

constexpr int first_fd = 3;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\0', at), all.size());
    arguments.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  if (arguments.empty()) {
    errno = ENOENT;
    fail("cannot read this program's arguments");
  }
  return arguments;
}

// What is at the program's path now. The first argument comes first: it may lead through a symbolic
// link that points to another release by now.
std::string own_path(const std::string& argument) {
  if (argument.find('/') != std::string::npos && ::access(argument.c_str(), X_OK) == 0) {
    return argument;
  }
  std::array<char, PATH_MAX> link{};
  const ssize_t size = ::readlink("/proc/self/exe", link.data(), link.size());
  if (size <= 0) fail("cannot find this program's file");
  std::string path(link.data(), static_cast<std::size_t>(size));
  // The file was replaced; another stands under its name.
  constexpr std::string_view deleted = " (deleted)";
  if (path.ends_with(deleted) && ::access(path.c_str(), F_OK) != 0) {
    path.resize(path.size() - deleted.size());
  }
  return path;
}

bool is_variable(std::string_view entry, std::string_view name) noexcept {
  return entry.starts_with(name) && entry.substr(name.size()).starts_with('=');
}

// Room for a process's number, which only the child knows, at the end of a variable.
constexpr std::string_view number_room = "0000000000";

/// All that the child needs, made before the fork: after it nothing may be allocated.
struct Plan {
  std::string path;
  std::vector<std::string> arguments;
  std::vector<std::string> variables;
  std::vector<char*> argument_pointers;
  std::vector<char*> variable_pointers;
  std::vector<int> sources;  // sockets in their order, then the ready pipe
  std::vector<int> copies;
  char* pid_places[2] = {};  // where number_room stands

  Plan(std::span<const Successor::Socket> sockets, int ready_pipe) {
    arguments = own_arguments();
    path = own_path(arguments.front());
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
      bool replaced = false;
      for (const std::string_view name :
           {std::string_view("LISTEN_PID"), std::string_view("LISTEN_FDS"),
            std::string_view("LISTEN_FDNAMES"), std::string_view("LISTEN_PIDFDID"),
            ready_variable}) {
        replaced = replaced || is_variable(*entry, name);
      }
      if (!replaced) variables.emplace_back(*entry);
    }
    std::string names;
    for (const Successor::Socket& socket : sockets) {
      if (!names.empty()) names += ':';
      names += socket.name.empty() ? std::string_view("unknown") : std::string_view(socket.name);
      sources.push_back(socket.fd);
    }
    sources.push_back(ready_pipe);
    copies.resize(sources.size());
    variables.push_back("LISTEN_FDS=" + std::to_string(sockets.size()));
    variables.push_back("LISTEN_FDNAMES=" + names);
    const std::size_t with_pid = variables.size();
    variables.push_back("LISTEN_PID=" + std::string(number_room));
    variables.push_back(std::string(ready_variable) + "=" +
                        std::to_string(first_fd + static_cast<int>(sockets.size())) + ":" +
                        std::string(number_room));
    argument_pointers = exec_pointers(arguments);
    variable_pointers = exec_pointers(variables);
    for (std::size_t i = 0; i < 2; ++i) {
      std::string& variable = variables[with_pid + i];
      pid_places[i] = variable.data() + variable.size() - number_room.size();
    }
  }
};

// From here to exec only what is safe after a fork of a process with threads.

void write_pid(char* place) noexcept {
  char digits[number_room.size()];
  std::size_t count = 0;
  for (auto pid = static_cast<std::uint32_t>(::getpid()); pid != 0; pid /= 10) {
    digits[count++] = static_cast<char>('0' + pid % 10);
  }
  while (count > 0) *place++ = digits[--count];
  *place = '\0';
}

void reset_signals() noexcept {
  struct sigaction action {};
  for (int number = 1; number < NSIG; ++number) {
    // The loop ignores SIGPIPE, and exec would hand that on; handlers would act on our memory.
    const bool is_known = ::sigaction(number, nullptr, &action) == 0;
    if (!is_known || (action.sa_handler == SIG_IGN && number != SIGPIPE)) continue;
    action = {};
    action.sa_handler = SIG_DFL;
    ::sigaction(number, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void become(Plan& plan) noexcept {
  // Out of the way first, so that no descriptor is overwritten before it is copied.
  const int count = static_cast<int>(plan.sources.size());
  int ready_pipe = plan.sources.back();
  bool is_well = true;
  for (int i = 0; i < count && is_well; ++i) {
    const auto at = static_cast<std::size_t>(i);
    plan.copies[at] = ::fcntl(plan.sources[at], F_DUPFD_CLOEXEC, first_fd + count);
    is_well = plan.copies[at] >= 0;
  }
  if (is_well) ready_pipe = plan.copies.back();
  for (int i = 0; i < count && is_well; ++i) {
    is_well = ::dup2(plan.copies[static_cast<std::size_t>(i)], first_fd + i) >= 0;
  }
  if (is_well) {
    // Connections of the old process are none of the new one's.
    if (::close_range(static_cast<unsigned>(first_fd + count), ~0U, 0) != 0) {
      for (int fd = first_fd + count; fd < 65'536; ++fd) ::close(fd);
    }
    ready_pipe = first_fd + count - 1;
    for (char* const place : plan.pid_places) write_pid(place);
    reset_signals();
    ::execve(plan.path.c_str(), plan.argument_pointers.data(), plan.variable_pointers.data());
  }
  const int error = errno;
  char text[1 + sizeof error] = {'E'};
  std::memcpy(text + 1, &error, sizeof error);
  [[maybe_unused]] const ssize_t written = ::write(ready_pipe, text, sizeof text);
  ::_exit(127);
}

std::string describe(const siginfo_t& how) {
  if (how.si_code == CLD_EXITED) return "exit code " + std::to_string(how.si_status);
  return std::string("signal ") + ::strsignal(how.si_status);
}

}  // namespace

Successor::Successor(loop::LoopCore& core, std::span<const Socket> sockets, Duration ready_timeout,
                     Observer& observer)
    : core_(core),
      observer_(observer),
      pipe_watch_(*this, -1),
      end_watch_(*this, -1),
      timer_(*this) {
  loop::expect_forks();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("cannot make a pipe");
  pipe_.reset(ends[0]);
  UniqueFd write_end(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  Plan plan(sockets, write_end.get());
  // The child must not run our handlers of signals.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_ = ::fork();
  if (pid_ == 0) become(plan);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  if (pid_ < 0) fail("cannot start a process");
  try {
    pidfd_.reset(open_pidfd(pid_));
    if (!pidfd_) fail("cannot wait for a process");
    pipe_watch_.fd = pipe_.get();
    end_watch_.fd = pidfd_.get();
    if (const auto refused = core_.engine().start_watching(pipe_watch_)) {
      throw std::system_error(refused, "cannot watch a pipe");
    }
    watches_pipe_ = true;
    if (const auto refused = core_.engine().start_watching(end_watch_)) {
      throw std::system_error(refused, "cannot wait for a process");
    }
    watches_end_ = true;
  } catch (...) {
    stop_watching();
    kill_now();
    throw;
  }
  core_.start_timer(timer_, ready_timeout);
}

Successor::~Successor() {
  stop_watching();
  if (!ready_ && pid_ > 0) kill_now();
}

void Successor::stop_watching() noexcept {
  if (timer_.is_armed()) core_.stop_timer(timer_);
  if (std::exchange(watches_pipe_, false)) core_.engine().stop_watching(pipe_watch_);
  if (std::exchange(watches_end_, false)) core_.engine().stop_watching(end_watch_);
}

void Successor::kill_now() noexcept {
  ::kill(pid_, SIGKILL);  // not reaped yet, so the number is still its own
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Successor::PipeWatch::on_ready(unsigned) { successor.read_pipe(); }
void Successor::EndWatch::on_ready(unsigned) { successor.ended(); }

void Successor::read_pipe() {
  char text[1 + sizeof(int)];
  const ssize_t got = ::read(pipe_.get(), text, sizeof text);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got >= 1 && text[0] == 'r') {
    ready_ = true;
    stop_watching();
    observer_.on_ready();
    return;
  }
  int error = 0;
  if (got == sizeof text && text[0] == 'E') {
    std::memcpy(&error, text + 1, sizeof error);
    why_ = "cannot be executed: " + std::generic_category().message(error);
  }
  // It ends, or has closed the pipe unheard: then the time decides.
  if (std::exchange(watches_pipe_, false)) core_.engine().stop_watching(pipe_watch_);
}

void Successor::ended() {
  if (watches_pipe_) {
    read_pipe();  // what it said last
    if (ready_) return;
  }
  siginfo_t how{};
  const int result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &how, WEXITED | WNOHANG);
  if (result == 0 && how.si_pid == 0) return;  // not yet
  pid_ = -1;
  stop_watching();
  if (why_.empty()) {
    why_ = result == 0 ? "ended with " + describe(how) + " before it was ready"
                       : std::string("ended before it was ready");
  }
  const std::string why = std::move(why_);
  observer_.on_failed(why);
}

void Successor::give_up() noexcept {
  stop_watching();
  kill_now();
  observer_.on_failed("was not ready in time");
}

}  // namespace squall::net
