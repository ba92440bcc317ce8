// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/coro/task.hpp>
#include <squall/net/stream.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace squall {

/// How a process ended.
struct ExitStatus {
  int code = 0;    ///< what it gave to exit(3); 0 when a signal ended it
  int signal = 0;  ///< the signal that ended it, or 0

  [[nodiscard]] bool is_success() const noexcept { return code == 0 && signal == 0; }
  /// The code, or the signal's number negated, as Python has it.
  [[nodiscard]] int returncode() const noexcept { return signal != 0 ? -signal : code; }
  /// "exit code 1", "signal 9 (Killed)".
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const ExitStatus&, const ExitStatus&) noexcept = default;
};

/// A process ended otherwise than with exit code 0.
class CalledProcessError : public Error {
 public:
  CalledProcessError(const std::string& command, ExitStatus how);
  [[nodiscard]] ExitStatus status() const noexcept { return status_; }

 private:
  ExitStatus status_;
};

/// What a child gets as standard input, output or error.
enum class Stdio : unsigned char {
  inherit,  ///< this process's
  pipe,     ///< a pipe, whose other end is a net::Stream here
  null,     ///< /dev/null
  output,   ///< of the error output: the same as the output
};

struct SubprocessOptions {
  Stdio input = Stdio::inherit;
  Stdio output = Stdio::inherit;
  Stdio error_output = Stdio::inherit;
  std::string_view directory = {};  ///< to start in; "" is this process's
  /// "NAME=value", besides this process's variables and instead of those with the same names.
  std::span<const std::string_view> environment = {};
  bool clear_environment = false;  ///< only the ones above
  /// A process group of its own: Ctrl-C does not reach it, and signals go to its children too.
  bool new_process_group = false;
};
static_assert(std::is_trivially_destructible_v<SubprocessOptions>);

/// A program, looked for in PATH unless it has a slash, and its arguments; no shell reads them.
/// Written as a list where one is wanted: `{"git", "describe"}`.
class Command {
 public:
  template <class... Args>
  requires(sizeof...(Args) > 0 && (std::is_convertible_v<const Args&, std::string_view> && ...))
      Command(const Args&... words) {  // NOLINT: implicit by design
    (add(std::string_view(words)), ...);
  }
  explicit Command(std::vector<std::string> words) noexcept : words_(std::move(words)) {}

  [[nodiscard]] const std::vector<std::string>& words() const noexcept { return words_; }

 private:
  void add(std::string_view word) { words_.emplace_back(word); }

  std::vector<std::string> words_;
};

/// A child process. Its pipes are streams, and its end can be awaited.
///
/// It belongs to the loop on which it was made. Destroying it kills the child if that still runs
/// (SIGKILL), so that a cancelled task leaves no process behind; detach() lets it live. The child
/// is reaped in any case. It gets no descriptor but the three, an empty signal mask, and SIGPIPE as
/// the system has it.
class Subprocess {
 public:
  /// Starts `command`. Throws std::system_error when it cannot be started.
  template <class C = Command>  // never deduced from {"word"}, which would look like a copy too
  requires std::is_same_v<C, Command>
  explicit Subprocess(const C& command, const SubprocessOptions& options = {})
      : state_(start(command, options)) {}
  Subprocess(Subprocess&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Subprocess& operator=(Subprocess&& other) noexcept;
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  ~Subprocess();

  [[nodiscard]] int pid() const noexcept;
  /// The pipes that were asked for; others are closed streams. Close input() when all is written.
  [[nodiscard]] net::Stream& input() noexcept;
  [[nodiscard]] net::Stream& output() noexcept;
  [[nodiscard]] net::Stream& error_output() noexcept;

  /// Waits for its end; any number may wait, also after it. Being cancelled does not touch the
  /// child. Read its pipes meanwhile: a child whose pipe is full waits.
  [[nodiscard]] Task<ExitStatus> wait();
  /// The same; throws CalledProcessError unless it ended with exit code 0.
  [[nodiscard]] Task<> wait_for_exit();
  /// Whether its end has been noticed.
  [[nodiscard]] bool has_exited() const noexcept;

  /// Sends a signal; does nothing once it has ended.
  void send_signal(int number) noexcept;
  /// SIGTERM.
  void terminate() noexcept;
  /// SIGKILL.
  void kill() noexcept;
  /// Lets it live when this is destroyed.
  void detach() noexcept;

 private:
  struct State;
  static State* start(const Command& command, const SubprocessOptions& options);
  void let_go() noexcept;

  State* state_;
};

struct RunOptions {
  std::string_view input = {};  ///< its standard input
  /// Ceiling on each of output and error output; past it the child is killed.
  std::size_t max_output_bytes = limits::subprocess_output_bytes;
  Duration timeout = {};  ///< then it is killed and TimeoutError is thrown; zero: none
  std::string_view directory = {};
  std::span<const std::string_view> environment = {};
  bool clear_environment = false;
};
static_assert(std::is_trivially_destructible_v<RunOptions>);

/// What a process that has ended left.
struct CompletedProcess {
  CompletedProcess() = default;
  ExitStatus status;
  std::string output;
  std::string error_output;
};

/// Runs `command`, gives it its input, and collects what it writes. Throws std::system_error when
/// it cannot be started, Error when it writes too much. A task that is cancelled kills it.
[[nodiscard]] Task<CompletedProcess> run_process(const Command& command,
                                                 const RunOptions& options = {});

}  // namespace squall
