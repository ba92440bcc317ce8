// SPDX-License-Identifier: Apache-2.0
#include "base/hex.hpp"
#include "base/secrets.hpp"
#include "tools/child.hpp"
#include "tools/error_server.hpp"
#include "tools/folder_watch.hpp"
#include "tools/keeper.hpp"
#include "tools/run_settings.hpp"

#include <squall/base/log.hpp>
#include <squall/coro/event.hpp>
#include <squall/loop/ioloop.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

// docs/decisions/0019-autoreload.md says how the parts go together.
namespace squall::tools {
namespace {

// What a program has to end in after SIGTERM, and after the second one.
constexpr auto patience = Duration::from_seconds(3);

void say(const std::string& text) { write_through(STDERR_FILENO, "squall: " + text + "\n"); }

class Watcher {
 public:
  explicit Watcher(const RunSettings& settings)
      : settings_(settings),
        plan_(settings),
        keeper_([this] { wake_.set(); }),
        folders_(settings.paths, [this](Change change) { changed(change); }) {
    append_hex(run_, random_bytes(6));
  }

  Task<> work();
  /// A signal: the program is asked to end; the second time it is killed.
  void stop() noexcept;
  [[nodiscard]] bool is_done() const noexcept { return is_done_; }
  /// An error server has no more clients.
  void loop_stopped() { leaving_.clear(); }

 private:
  enum class Outcome : unsigned char { built, failed, interrupted };

  Task<> follow_changes();
  Task<Change> wait_for_change();
  Task<Outcome> build();
  Task<Outcome> run_step(Arguments words);
  Task<> restart();
  Task<> stop_program();
  /// Waits for `holds()`, at most so long.
  template <class F>
  Task<bool> within(Duration time, F holds);
  void changed(Change change) noexcept;
  void notice_end();
  [[nodiscard]] bool is_over() const noexcept {
    return program_->has_ended() && !keeper_.has_programs();
  }
  void build_failed(std::string text);
  void show(ErrorText error);
  void leave_error() noexcept;
  void new_generation(std::string error = {});

  const RunSettings& settings_;
  Plan plan_;
  Event wake_;  // something of what follows has changed
  Keeper keeper_;
  FolderWatch folders_;
  Change pending_ = Change::none;
  int stops_ = 0;
  bool is_done_ = false;
  bool build_has_failed_ = false;
  bool has_built_ = false;
  std::string run_;  // of this process: pages of an earlier one load again
  unsigned generation_ = 0;
  std::unique_ptr<Child> program_;
  std::unique_ptr<ErrorServer> error_;
  std::vector<std::unique_ptr<ErrorServer>> leaving_;
};

void Watcher::stop() noexcept {
  ++stops_;
  if (stops_ > 1 && program_) program_->send_signal(SIGKILL);
  wake_.set();
}

void Watcher::changed(Change change) noexcept {
  pending_ = std::max(pending_, change);
  wake_.set();
}

Task<> Watcher::work() {
  std::exception_ptr error;
  try {
    co_await follow_changes();
  } catch (...) {
    error = std::current_exception();
  }
  co_await stop_program();
  leave_error();
  is_done_ = true;
  IOLoop::current().stop();
  if (error) std::rethrow_exception(error);
}

Task<> Watcher::follow_changes() {
  Change due = plan_.builds() ? Change::source : Change::restart;
  while (stops_ == 0) {
    Outcome outcome = Outcome::built;
    // What does not compile is not started again either.
    if (plan_.builds() && (due == Change::source || build_has_failed_) && due != Change::page) {
      outcome = co_await build();
    }
    if (outcome == Outcome::interrupted) continue;
    if (outcome == Outcome::built) {
      if (due == Change::page) {
        new_generation(keeper_.state().error);
      } else {
        co_await restart();
      }
    }
    due = co_await wait_for_change();
  }
}

Task<Change> Watcher::wait_for_change() {
  while (stops_ == 0 && pending_ == Change::none) {
    notice_end();
    co_await wake_.wait();
    wake_.clear();
  }
  co_return std::exchange(pending_, Change::none);
}

void Watcher::notice_end() {
  if (!program_ || !is_over()) return;
  const ExitStatus status = program_->status();
  std::string text = program_->text();
  program_.reset();
  const std::string what = plan_.program().front() + " ended with " + status.to_string();
  say(what + "; waiting for a change");
  show({what, std::move(text)});
}

Task<Watcher::Outcome> Watcher::build() {
  pending_ = Change::none;
  for (std::size_t done = 0;; ++done) {
    std::optional<Arguments> step;
    try {
      step = plan_.step(done);
    } catch (const std::exception& error) {
      if (!has_built_) throw;
      say(error.what());
      build_failed(error.what());
      co_return Outcome::failed;
    }
    if (!step) break;
    const Outcome outcome = co_await run_step(std::move(*step));
    if (outcome != Outcome::built) co_return outcome;
  }
  has_built_ = true;
  build_has_failed_ = false;
  co_return Outcome::built;
}

Task<Watcher::Outcome> Watcher::run_step(Arguments words) {
  Child child(Child::Kind::build, words, {}, wake_);
  while (!child.has_ended()) {
    co_await wake_.wait();
    wake_.clear();
    notice_end();
    // What is being built is out of date already.
    if (stops_ > 0 || pending_ == Change::source) {
      child.send_signal(SIGTERM);  // make and ninja remove what they have half written
      const auto has_ended = [&child] { return child.has_ended(); };
      co_await within(patience, has_ended);
      co_return Outcome::interrupted;
    }
  }
  const ExitStatus status = child.status();
  if (status.is_success()) co_return Outcome::built;
  say("the build failed with " + status.to_string());
  build_failed(child.text());
  co_return Outcome::failed;
}

void Watcher::build_failed(std::string text) {
  build_has_failed_ = true;
  if (text.empty()) text = "The build failed and said nothing.";
  if (program_) {
    web::PageState state = keeper_.state();
    state.error = std::move(text);
    keeper_.set_state(std::move(state));
  } else {
    show({"The build failed", std::move(text)});
  }
}

Task<> Watcher::restart() {
  co_await stop_program();
  if (stops_ > 0) co_return;
  leave_error();
  new_generation();
  keeper_.expect_start();
  try {
    program_ =
        std::make_unique<Child>(Child::Kind::program, plan_.program(), keeper_.variable(), wake_);
  } catch (const std::system_error& error) {
    say(error.what());
    show({"The program cannot be started", error.what()});
  }
}

Task<> Watcher::stop_program() {
  if (!program_) co_return;
  for (const int number : {SIGTERM, SIGTERM, SIGKILL}) {
    if (is_over()) break;
    program_->send_signal(stops_ > 1 ? SIGKILL : number);
    const auto over = [this] { return is_over(); };
    const bool has_ended = co_await within(patience, over);
    if (has_ended) break;
  }
  program_.reset();
}

template <class F>
Task<bool> Watcher::within(Duration time, F holds) {
  const TimePoint end = IOLoop::current().time() + time;
  while (!holds()) {
    const Duration left = end - IOLoop::current().time();
    if (left <= Duration()) co_return false;
    try {
      co_await wake_.wait(left);
    } catch (const TimeoutError&) {
    }
    wake_.clear();
  }
  co_return true;
}

void Watcher::show(ErrorText error) {
  leave_error();
  new_generation();
  if (!keeper_.has_sockets()) {
    try {
      keeper_.bind(settings_.port, settings_.address);
    } catch (const std::system_error& failure) {
      say("no page shows the error: " + std::string(failure.what()));
      return;
    }
  }
  try {
    error_ = std::make_unique<ErrorServer>(keeper_.plain_sockets(), std::move(error),
                                           keeper_.state().generation);
  } catch (const std::exception& failure) {
    say("no page shows the error: " + std::string(failure.what()));
  }
}

void Watcher::leave_error() noexcept {
  if (!error_) return;
  error_->shutdown();
  leaving_.push_back(std::move(error_));
}

void Watcher::new_generation(std::string error) {
  keeper_.set_state({run_ + "." + std::to_string(++generation_), std::move(error)});
}

}  // namespace

int watch(const RunSettings& settings) {
  log::set_level(log::Level::warning);
  log::set_level("access", log::Level::none);  // who sees the error is no news
  Watcher watcher(settings);
  IOLoop& loop = IOLoop::current();
  loop.set_blocking_threshold({});  // a terminal may be slow
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    loop.add_signal_handler(number, [&watcher] { watcher.stop(); });
  }
  std::exception_ptr error;
  loop.spawn(
      [](Watcher* working, std::exception_ptr* failure) -> Task<> {
        try {
          co_await working->work();
        } catch (...) {
          *failure = std::current_exception();
        }
      },
      &watcher, &error);
  // An error server stops the loop when it is left.
  while (!watcher.is_done()) {
    loop.start();
    watcher.loop_stopped();
  }
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) loop.remove_signal_handler(number);
  if (error) std::rethrow_exception(error);
  return 0;
}

}  // namespace squall::tools
