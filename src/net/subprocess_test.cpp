// SPDX-License-Identifier: Apache-2.0
#include "loop/loop_core.hpp"
#include "loop/loop_testing.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/net/subprocess.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <fcntl.h>
#include <signal.h>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace squall {
namespace {

using loop::run_until;

template <class T>
T run(Task<T> task) {
  return IOLoop::current().run_sync(std::move(task), Duration::from_seconds(20));
}

bool is_gone(int pid) { return ::kill(pid, 0) != 0 && errno == ESRCH; }

TEST(Subprocess, ItsPipesAreStreams) {
  SubprocessOptions options;
  options.input = options.output = Stdio::pipe;
  Subprocess cat({"cat"}, options);
  const auto talk = [](Subprocess* process) -> Task<> {
    static_cast<void>(co_await process->input().write("one\ntwo\n"));
    auto line = co_await process->output().read_line();
    EXPECT_EQ(*line, "one");
    process->input().close();
    auto rest = co_await process->output().read_until_close();
    EXPECT_EQ(*rest, "two\n");
    const ExitStatus status = co_await process->wait();
    EXPECT_TRUE(status.is_success());
  };
  run(talk(&cat));
  EXPECT_TRUE(cat.has_exited());
}

TEST(Subprocess, MoreThanAPipeHoldsGoesThroughBothWays) {
  const std::string large(3'000'000, 'x');
  const auto done = run(run_process({"cat"}, {.input = large}));
  EXPECT_EQ(done.output, large);
  EXPECT_TRUE(done.status.is_success());
}

TEST(Subprocess, TellsHowItEnded) {
  Subprocess failing({"sh", "-c", "exit 7"});
  const auto failed = run(failing.wait());
  EXPECT_EQ(failed, (ExitStatus{7, 0}));
  EXPECT_EQ(failed.to_string(), "exit code 7");
  EXPECT_THROW(run(failing.wait_for_exit()), CalledProcessError);

  Subprocess sleeping({"sleep", "1000"});
  sleeping.terminate();
  const auto ended = run(sleeping.wait());
  EXPECT_EQ(ended.returncode(), -SIGTERM);
  EXPECT_EQ(ended.to_string(), "signal 15 (Terminated)");
  sleeping.kill();  // harmless now
}

TEST(Subprocess, EveryoneWhoWaitsHearsOfItsEnd) {
  Subprocess process({"sleep", "1000"});
  int heard = 0;
  const auto listen = [](Subprocess* of, int* count) -> Task<> {
    static_cast<void>(co_await of->wait());
    ++*count;
  };
  spawn(listen(&process, &heard));
  spawn(listen(&process, &heard));
  process.kill();
  run_until([&] { return heard == 2; });
}

TEST(Subprocess, ThatCannotBeStartedSaysWhy) {
  try {
    Subprocess process({"/nonexistent/program"});
    FAIL() << "it started";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    EXPECT_NE(std::string(error.what()).find("/nonexistent/program"), std::string::npos);
  }
  EXPECT_THROW(Subprocess({"true"}, {.directory = "/nonexistent"}), std::system_error);
  EXPECT_THROW(Subprocess{Command(std::vector<std::string>())}, UsageError);
  EXPECT_THROW(Subprocess({"echo", std::string_view("a\0b", 3)}), UsageError);
  const std::string_view variables[] = {"NAME"};
  EXPECT_THROW(Subprocess({"true"}, {.environment = variables}), UsageError);
}

TEST(Subprocess, IsKilledAndReapedWhenItsOwnerGoes) {
  int pid = 0;
  {
    Subprocess process({"sleep", "1000"});
    pid = process.pid();
    EXPECT_FALSE(is_gone(pid));
  }
  run_until([&] { return is_gone(pid); });
}

TEST(Subprocess, LivesOnWhenDetached) {
  int pid = 0;
  {
    Subprocess process({"sleep", "1000"});
    pid = process.pid();
    process.detach();
  }
  EXPECT_FALSE(is_gone(pid));
  ::kill(pid, SIGKILL);
  run_until([&] { return is_gone(pid); });  // reaped all the same
}

TEST(Subprocess, GetsDirectoryVariablesAndNothingElse) {
  // A descriptor that is open here must not be open there.
  const int open_here = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const std::string_view variables[] = {"COLOUR=green", "HOME=/nowhere"};
  const auto done = run(
      run_process({"sh", "-c", "pwd; echo $COLOUR $HOME; ls /proc/self/fd | wc -l; kill -PIPE $$"},
                  {.directory = "/usr", .environment = variables}));
  ::close(open_here);
  EXPECT_EQ(done.output, "/usr\ngreen /nowhere\n4\n");  // 0, 1, 2 and that of ls
  EXPECT_EQ(done.status.signal, SIGPIPE) << "SIGPIPE was handed on as ignored";
}

TEST(Subprocess, ErrorOutputMayGoWhereTheOutputGoes) {
  SubprocessOptions options;
  options.input = Stdio::null;
  options.output = Stdio::pipe;
  options.error_output = Stdio::output;
  Subprocess process({"sh", "-c", "cat; echo out; echo err >&2"}, options);
  const auto read = [](Subprocess* from) -> Task<std::string> {
    auto all = co_await from->output().read_until_close();
    co_return std::move(*all);
  };
  EXPECT_EQ(run(read(&process)), "out\nerr\n");
}

TEST(RunProcess, KillsWhatTakesTooLong) {
  EXPECT_THROW(run(run_process({"sleep", "1000"}, {.timeout = Duration::from_milliseconds(20)})),
               TimeoutError);
  run_until([] { return loop::LoopCore::current().open_streams() == 0; });
}

TEST(RunProcess, RefusesEndlessOutput) {
  EXPECT_THROW(run(run_process({"yes"}, {.max_output_bytes = 10'000})), Error);
  run_until([] { return loop::LoopCore::current().open_streams() == 0; });
}

TEST(RunProcess, AChildThatDoesNotReadItsInputIsNoFailure) {
  const std::string large(1'000'000, 'x');
  const auto done = run(run_process({"true"}, {.input = large}));
  EXPECT_TRUE(done.status.is_success());
}

}  // namespace
}  // namespace squall
