// SPDX-License-Identifier: Apache-2.0
#include "web/restart.hpp"

#include "base/logging.hpp"
#include "net/inheritance.hpp"
#include "net/service_manager.hpp"
#include "web/worker.hpp"

#include <squall/base/error.hpp>
#include <squall/net/fork_processes.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace squall::web {

Restart::~Restart() { remove_pid_file(); }

std::string_view Restart::add_socket(int fd, bool any_port) {
  std::string name = net::inherited_name(fd);
  if (any_port) name = net::any_port_name;
  sockets_.push_back({fd, std::move(name)});
  return sockets_.back().name;
}

void Restart::serves() {
  write_pid_file();
  if (!application_.settings().wait_for_notify_ready) notify_ready();
}

void Restart::begin() {
  if (application_.impl().shutting_down) return;
  if (successor_) {
    log::write(log::Level::warning, "server", "a restart is under way already");
    return;
  }
  net::tell_reloading();
  try {
    successor_.reset(new net::Successor(application_.impl().loop->core(), sockets_,
                                        application_.settings().restart_timeout, *this));
    log::format(log::Level::info, "server", "restarting: process {} is to take over",
                successor_->pid());
  } catch (const std::exception& error) {
    log::format(log::Level::error, "server", "cannot restart: {}; this process goes on",
                error.what());
    net::tell_service_manager("READY=1");
  }
}

void Restart::on_ready() {
  const std::string pid = std::to_string(successor_->pid());
  log::format(log::Level::info, "server", "process {} has taken over", pid);
  // From the process that the service manager knows: it may not listen to another.
  net::tell_service_manager("READY=1\nMAINPID=" + pid);
  replaced_ = true;
  application_.shutdown();
}

void Restart::on_failed(std::string_view why) {
  log::format(log::Level::error, "server", "the new process {}; this one goes on", why);
  net::tell_service_manager("READY=1");
  successor_.reset();
}

void Restart::shutting_down() noexcept {
  if (replaced_) return;
  successor_.reset();
  if (task_id() < 0) net::tell_service_manager("STOPPING=1");  // else the supervisor does
}

void Restart::write_pid_file() noexcept {
  if (pid_file_.empty()) return;
  // Written aside and moved: who reads it never sees half a number.
  const std::string aside = pid_file_ + ".new";
  const std::string text = std::to_string(::getpid()) + "\n";
  UniqueFd file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  const bool is_written =
      file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::rename(aside.c_str(), pid_file_.c_str()) == 0;
  if (!is_written) {
    log::format(log::Level::error, "server", "cannot write {}: {}", pid_file_,
                std::strerror(errno));
  }
}

void Restart::remove_pid_file() noexcept {
  if (pid_file_.empty()) return;
  char text[32] = {};
  const UniqueFd file(::open(pid_file_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::read(file.get(), text, sizeof text - 1) <= 0) return;
  if (std::strcmp(text, (std::to_string(::getpid()) + "\n").c_str()) == 0) {
    ::unlink(pid_file_.c_str());
  }
}

}  // namespace squall::web
