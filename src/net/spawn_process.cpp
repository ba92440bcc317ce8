// SPDX-License-Identifier: Apache-2.0
#include "net/spawn_process.hpp"

#include "loop/forks.hpp"
#include "net/exec_strings.hpp"
#include "net/pidfd.hpp"

#include <squall/base/error.hpp>

#include <cerrno>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

extern char** environ;  // NOLINT: POSIX

namespace squall::net {
namespace {

void check(int error, const std::string& what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

class FileActions {
 public:
  FileActions() { check(::posix_spawn_file_actions_init(&actions_), "cannot start a process"); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() noexcept { return &actions_; }

  void duplicate(int from, int to) {
    check(::posix_spawn_file_actions_adddup2(&actions_, from, to), "cannot start a process");
  }
  void open_null(int to) {
    check(::posix_spawn_file_actions_addopen(&actions_, to, "/dev/null", O_RDWR, 0),
          "cannot start a process");
  }
  void close_others() {
    check(::posix_spawn_file_actions_addclosefrom_np(&actions_, 3), "cannot start a process");
  }
  void change_directory(const std::string& to) {
    check(::posix_spawn_file_actions_addchdir_np(&actions_, to.c_str()), "cannot start a process");
  }

 private:
  posix_spawn_file_actions_t actions_{};
};

class Attributes {
 public:
  explicit Attributes(bool new_process_group) {
    check(::posix_spawnattr_init(&attributes_), "cannot start a process");
    sigset_t signals;
    sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    sigaddset(&signals, SIGPIPE);  // the loop ignores it, and exec would hand that on
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (new_process_group) flags |= POSIX_SPAWN_SETPGROUP;
    ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

// Above 2, so that setting up one of the child's three never overwrites another's source.
UniqueFd above_standard(UniqueFd fd) {
  if (fd.get() > 2) return fd;
  UniqueFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!moved) check(errno, "cannot make a pipe");
  return moved;
}

struct Pipe {
  UniqueFd ours;
  UniqueFd childs;
};

Pipe make_pipe(bool child_reads) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) check(errno, "cannot make a pipe");
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  read_end = above_standard(std::move(read_end));
  write_end = above_standard(std::move(write_end));
  Pipe pipe;
  pipe.ours = std::move(child_reads ? write_end : read_end);
  pipe.childs = std::move(child_reads ? read_end : write_end);
  const int flags = ::fcntl(pipe.ours.get(), F_GETFL);
  if (::fcntl(pipe.ours.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    check(errno, "cannot make a pipe");
  return pipe;
}

std::string checked_text(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    throw UsageError("a process's arguments and variables cannot have a NUL character");
  }
  return std::string(text);
}

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

std::vector<std::string> make_environment(const SubprocessOptions& options) {
  std::vector<std::string> variables;
  for (const std::string_view variable : options.environment) {
    if (variable.find('=') == std::string_view::npos || variable.front() == '=') {
      throw UsageError("an environment variable is written NAME=value, not \"" +
                       std::string(variable) + "\"");
    }
    variables.push_back(checked_text(variable));
  }
  if (options.clear_environment) return variables;
  const std::size_t given = variables.size();
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    bool replaced = false;
    for (std::size_t i = 0; i < given; ++i) {
      replaced = replaced || name_of(variables[i]) == name_of(*entry);
    }
    if (!replaced) variables.emplace_back(*entry);
  }
  return variables;
}

}  // namespace

SpawnedProcess spawn_process(const Command& command, const SubprocessOptions& options) {
  if (command.words().empty() || command.words().front().empty()) {
    throw UsageError("a process needs a command: the program and then its arguments");
  }
  if (options.input == Stdio::output || options.output == Stdio::output) {
    throw UsageError("Stdio::output is for the error output: it goes where the output goes");
  }
  std::vector<std::string> arguments;
  for (const std::string& argument : command.words()) arguments.push_back(checked_text(argument));
  std::vector<std::string> variables = make_environment(options);

  FileActions actions;
  SpawnedProcess spawned;
  UniqueFd childs[3];
  const Stdio wanted[] = {options.input, options.output, options.error_output};
  for (int i = 0; i < 3; ++i) {
    switch (wanted[i]) {
      case Stdio::inherit:
        break;
      case Stdio::null:
        actions.open_null(i);
        break;
      case Stdio::output:
        actions.duplicate(1, 2);
        break;
      case Stdio::pipe: {
        Pipe pipe = make_pipe(i == 0);
        actions.duplicate(pipe.childs.get(), i);
        spawned.pipes[i] = std::move(pipe.ours);
        childs[i] = std::move(pipe.childs);
        break;
      }
    }
  }
  const std::string directory(options.directory);
  if (!directory.empty()) actions.change_directory(directory);
  actions.close_others();
  const Attributes attributes(options.new_process_group);
  loop::expect_forks();  // the spawning thread waits for the exec, those of other loops do not
  check(::posix_spawnp(&spawned.pid, arguments.front().c_str(), actions.get(), attributes.get(),
                       exec_pointers(arguments).data(), exec_pointers(variables).data()),
        "cannot start \"" + arguments.front() + "\"" +
            (directory.empty() ? "" : " in \"" + directory + "\""));
  spawned.pidfd.reset(open_pidfd(spawned.pid));
  if (!spawned.pidfd) {
    const int error = errno;
    ::kill(spawned.pid, SIGKILL);
    ::waitpid(spawned.pid, nullptr, 0);
    check(error, "cannot wait for the end of \"" + arguments.front() + "\"");
  }
  return spawned;
}

}  // namespace squall::net
