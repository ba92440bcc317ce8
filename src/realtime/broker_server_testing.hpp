// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/forks.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <sstream>
#include <string>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace squall::realtime {

/// A directory that is gone with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "squall-broker-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The program's path, or "" where it is not installed.
inline std::string find_program(const std::string& name) {
  for (const char* directory : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/"}) {
    if (::access((directory + name).c_str(), X_OK) == 0) return directory + name;
  }
  return {};
}

/// A child that does not outlive the test, however that ends.
class ServerProcess {
 public:
  ServerProcess() = default;
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() { kill(); }

  void start(const std::vector<std::string>& words, const std::string& log_file) {
    kill();
    loop::expect_forks();  // the brokers' loops run meanwhile
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(log, 1);
    ::dup2(log, 2);
    for (int fd = 3; fd < 256; ++fd) ::close(fd);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  void signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
  }
  /// As `kill -9`, and waits for the end.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  /// SIGTERM, and waits for the end.
  void terminate() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] bool has_ended() {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
    return pid_ <= 0;
  }
  [[nodiscard]] int pid() const { return pid_; }

 private:
  int pid_ = -1;
};

/// Calls `condition` until it holds, for 20 s at most.
template <class F>
bool wait_for(F condition) {
  for (int i = 0; i < 4000; ++i) {
    if (condition()) return true;
    ::poll(nullptr, 0, 5);
  }
  return false;
}

inline std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

inline bool accepts_connections(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const int result = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::close(fd);
  return result == 0;
}

/// A redis-server on a unix socket, without persistence unless asked for.
class RedisServer {
 public:
  static bool is_installed() { return !find_program("redis-server").empty(); }

  explicit RedisServer(std::vector<std::string> more = {}) : more_(std::move(more)) { start(); }

  void start() {
    std::vector<std::string> words{find_program("redis-server"),
                                   "--port",
                                   "0",
                                   "--unixsocket",
                                   socket_path(),
                                   "--save",
                                   "",
                                   "--dir",
                                   directory_.path(),
                                   "--appendonly",
                                   "no"};
    words.insert(words.end(), more_.begin(), more_.end());
    process_.start(words, directory_.path() + "/log");
    EXPECT_TRUE(wait_for([this] {
      const std::string answer = ask({"PING"});
      return answer.starts_with("+PONG") || answer.starts_with("-NOAUTH");
    })) << log();
  }
  void kill() { process_.kill(); }
  void terminate() { process_.terminate(); }
  void pause() { process_.signal(SIGSTOP); }
  void go_on() { process_.signal(SIGCONT); }

  [[nodiscard]] std::string socket_path() const { return directory_.path() + "/redis.sock"; }
  [[nodiscard]] std::string url() const { return "unix://" + socket_path(); }
  [[nodiscard]] const std::string& directory() const { return directory_.path(); }

  /// Sends one command on a connection of its own and gives the start of the answer, as it came; ""
  /// when there is none.
  [[nodiscard]] std::string ask(const std::vector<std::string>& words) const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_path().copy(address.sun_path, sizeof address.sun_path - 1);
    std::string answer;
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
      std::string command = "*" + std::to_string(words.size()) + "\r\n";
      for (const std::string& word : words) {
        command += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
      }
      if (::send(fd, command.data(), command.size(), MSG_NOSIGNAL) > 0) {
        char buffer[64 * 1024];
        const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got > 0) answer.assign(buffer, static_cast<std::size_t>(got));
      }
    }
    ::close(fd);
    return answer;
  }
  [[nodiscard]] std::string log() const {
    std::ifstream file(directory_.path() + "/log");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

 private:
  TemporaryDirectory directory_;
  std::vector<std::string> more_;
  ServerProcess process_;
};

/// A nats-server on a port of its own.
class NatsServer {
 public:
  static bool is_installed() { return !find_program("nats-server").empty(); }

  explicit NatsServer(std::vector<std::string> more = {})
      : more_(std::move(more)), port_(free_port()) {
    start();
  }

  void start() {
    std::vector<std::string> words{find_program("nats-server"), "--addr", "127.0.0.1", "--port",
                                   std::to_string(port_)};
    words.insert(words.end(), more_.begin(), more_.end());
    process_.start(words, directory_.path() + "/log");
    EXPECT_TRUE(wait_for([this] { return accepts_connections(port_); }));
  }
  void kill() { process_.kill(); }
  void pause() { process_.signal(SIGSTOP); }
  void go_on() { process_.signal(SIGCONT); }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] const std::string& directory() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
  std::vector<std::string> more_;
  std::uint16_t port_;
  ServerProcess process_;
};

}  // namespace squall::realtime
