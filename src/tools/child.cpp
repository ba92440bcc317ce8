// SPDX-License-Identifier: Apache-2.0
#include "tools/child.hpp"

#include <squall/base/limits.hpp>

#include <array>
#include <cerrno>
#include <poll.h>
#include <signal.h>
#include <unistd.h>
#include <vector>

namespace squall::tools {
namespace {

// Others may have inherited the pipe, and keep it open.
constexpr auto rest_of_output = Duration::from_milliseconds(200);

int target_of(Child::Kind kind) noexcept {
  return kind == Child::Kind::build ? STDOUT_FILENO : STDERR_FILENO;
}

Subprocess start(Child::Kind kind, const Arguments& words, std::string_view variable) {
  std::vector<std::string_view> variables;
  if (!variable.empty()) variables.push_back(variable);
  // It writes into a pipe, but a terminal is at the other end.
  if (::isatty(target_of(kind)) != 0) {
    for (const std::string_view name :
         {"CLICOLOR_FORCE=1", "CMAKE_COLOR_DIAGNOSTICS=ON", "FORCE_COLOR=1"}) {
      variables.push_back(name);
    }
  }
  SubprocessOptions options;
  options.input = Stdio::null;
  options.new_process_group = true;
  options.environment = variables;
  if (kind == Child::Kind::build) {
    options.output = Stdio::pipe;
    options.error_output = Stdio::output;
  } else {
    options.error_output = Stdio::pipe;
  }
  return Subprocess(Command(words), options);
}

}  // namespace

void write_through(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (written < 0 && errno != EINTR) {
      return;
    }
  }
}

Child::Child(Kind kind, const Arguments& command, std::string_view variable, Event& wake)
    : kind_(kind),
      wake_(wake),
      output_(kind == Kind::build ? OutputText::Keep::first : OutputText::Keep::last,
              limits::development_output_bytes),
      process_(start(kind, command, variable)) {
  tasks_.spawn(read(this));
  tasks_.spawn(follow(this));
}

Child::~Child() {
  // Its group has at least itself in it, as a zombie, until its end has been noticed.
  ::kill(-process_.pid(), SIGKILL);
}

net::Stream& Child::stream() noexcept {
  return kind_ == Kind::build ? process_.output() : process_.error_output();
}

void Child::send_signal(int number) noexcept { ::kill(-process_.pid(), number); }

Task<> Child::read(Child* self) {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto got = co_await self->stream().read_some(buffer);
    if (!got || *got == 0) break;
    const std::string_view text(buffer.data(), *got);
    write_through(target_of(self->kind_), text);
    self->output_.add(text);
  }
  self->read_all_.set();
}

Task<> Child::follow(Child* self) {
  self->status_ = co_await self->process_.wait();
  try {
    co_await self->read_all_.wait(rest_of_output);
  } catch (const TimeoutError&) {
  }
  self->ended_ = true;
  self->wake_.set();
}

}  // namespace squall::tools
