// SPDX-License-Identifier: Apache-2.0
#include "base/log_background.hpp"
#include "log/log_testing.hpp"

#include <squall/log/output.hpp>

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

namespace squall {
namespace {

class LogOutput : public LogDirectory {
 protected:
  /// As if the process had an event loop, until the test ends.
  static void with_loop() { log::tell_of_loops(); }
  ~LogOutput() override { log::detail::has_loops = false; }

  static std::ptrdiff_t threads() {
    const std::filesystem::directory_iterator all("/proc/self/task");
    return std::distance(begin(all), end(all));
  }
  static std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) {
      ++found;
    }
    return found;
  }
  /// The sum of what the lines about losses say: there is one for each gap.
  static std::uint64_t told_lost(const std::string& text) {
    std::uint64_t sum = 0;
    for (std::size_t at = 0; (at = text.find(" lost here", at)) != std::string::npos; ++at) {
      sum += std::stoull(text.substr(text.rfind("] ", at) + 2));
    }
    return sum;
  }
};

TEST_F(LogOutput, WritesTextToAFileWithoutColours) {
  log::configure({.file = path(), .colours = log::Colours::always});
  log::warning("careful", {{"id", 7}});
  const std::string line = text();
  EXPECT_EQ(line.substr(0, 3), "[W ");
  EXPECT_EQ(line.substr(18), " app] careful id=7\n") << line;
}

TEST_F(LogOutput, ColoursTheBracketsWhereAskedTo) {
  ::testing::internal::CaptureStderr();
  log::configure({.colours = log::Colours::always});
  log::debug("not on");
  log::info("green");
  log::error("red");
  const std::string out = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(out.substr(0, 8), "\x1b[32m[I ");
  EXPECT_NE(out.find(" app]\x1b[m green\n\x1b[31m[E "), std::string::npos) << out;
}

TEST_F(LogOutput, WritesJsonToBothPlaces) {
  ::testing::internal::CaptureStderr();
  log::configure({.file = path(), .to_stderr = true, .format = log::Format::json});
  log::write(log::Level::error, "shop", "sold\nout", {{"item", "tea"}});
  const std::string out = ::testing::internal::GetCapturedStderr();
  const std::string end = R"(,"level":"error","channel":"shop","message":"sold\nout","item":"tea"})"
                          "\n";
  EXPECT_EQ(out.substr(out.size() - end.size()), end);
  EXPECT_EQ(text().substr(text().size() - end.size()), end);
}

TEST_F(LogOutput, HasNoThreadBeforeThereIsALoop) {
  const auto before = threads();
  log::configure({.file = path()});
  log::info("one");
  EXPECT_EQ(threads(), before);
  EXPECT_EQ(count(text(), "one"), 1U);
  with_loop();
  log::info("two");
  EXPECT_EQ(threads(), before + 1);
  log::reset();
  EXPECT_EQ(threads(), before);
  EXPECT_EQ(count(text(), "two"), 1U);
}

TEST_F(LogOutput, LinesOfManyThreadsAreWholeAndAllThere) {
  with_loop();
  log::configure({.file = path(), .max_file_bytes = 20'000, .backups = 1000});
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([t] {
      for (int i = 0; i < 500; ++i) {
        log::info("thread " + std::to_string(t) + " line " + std::to_string(i) + ".");
      }
    });
  }
  for (auto& writer : writers) writer.join();
  log::flush();
  EXPECT_EQ(log::dropped_lines(), 0U);
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator(path(""))) {
    all += text(entry.path().filename().string());
  }
  EXPECT_EQ(count(all, "[I "), 2000U);
  for (int t = 0; t < 4; ++t) {
    for (int i = 0; i < 500; ++i) {
      ASSERT_EQ(
          count(all, " app] thread " + std::to_string(t) + " line " + std::to_string(i) + ".\n"),
          1U);
    }
  }
}

// A pipe that nobody reads stands for a disk that has stopped.
TEST_F(LogOutput, NobodyWaitsForADiskThatHasStoppedAndWhatIsLostIsSaid) {
  with_loop();
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  log::configure({.file = path("pipe"), .rotation = log::Rotation::never, .queue_bytes = 10'000});
  const std::string filler(1000, 'x');
  // The pipe takes 64 KiB, the queue and the batch that is stuck 10,000 bytes each. This returns,
  // which is the point, and has to drop most.
  constexpr std::uint64_t lines = 1000;
  for (std::uint64_t i = 0; i < lines; ++i) log::info(filler);
  const std::uint64_t dropped = log::dropped_lines();
  EXPECT_GT(dropped, lines / 2);

  std::string all;
  std::thread stop([] { log::reset(); });
  char buffer[65'536];
  ::fcntl(reader, F_SETFL, 0);
  for (ssize_t got; (got = ::read(reader, buffer, sizeof buffer)) > 0;) {
    all.append(buffer, static_cast<std::size_t>(got));
    if (all.back() == '\n' && count(all, filler) + told_lost(all) >= lines) break;
  }
  stop.join();
  ::close(reader);
  EXPECT_EQ(count(all, filler) + dropped, lines);
  EXPECT_EQ(told_lost(all), dropped);
}

TEST_F(LogOutput, SighupReopensTheFile) {
  std::signal(SIGHUP, SIG_DFL);
  log::configure({.file = path()});
  log::info("one");
  std::filesystem::rename(path(), path("app.log.1"));
  std::raise(SIGHUP);
  log::info("two");
  EXPECT_EQ(count(text("app.log.1"), "one"), 1U);
  EXPECT_EQ(count(text(), "two"), 1U);
  std::signal(SIGHUP, SIG_DFL);
}

TEST_F(LogOutput, AHandlerOfSighupThatIsThereStays) {
  static volatile std::sig_atomic_t heard;
  heard = 0;
  std::signal(SIGHUP, [](int) { heard = 1; });
  log::configure({.file = path()});
  std::raise(SIGHUP);
  EXPECT_EQ(heard, 1);
  std::signal(SIGHUP, SIG_DFL);
}

TEST_F(LogOutput, AChildOfForkWritesItsOwnLinesOnly) {
  with_loop();
  log::configure({.file = path()});
  log::info("parent before");
  const pid_t child = ::fork();
  if (child == 0) {
    log::info("child");
    log::flush();
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  log::info("parent after");
  log::flush();
  EXPECT_EQ(count(text(), "parent before"), 1U) << text();
  EXPECT_EQ(count(text(), "child"), 1U);
  EXPECT_EQ(count(text(), "parent after"), 1U);
}

TEST_F(LogOutput, TheEndOfTheProcessWritesWhatWaits) {
  EXPECT_EXIT(
      {
        with_loop();
        log::configure({.file = path()});
        for (int i = 0; i < 100; ++i) log::info("line");
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(count(text(), "line"), 100U);
}

TEST_F(LogOutput, AFileThatIsNoLongerUsedIsClosed) {
  const auto descriptors = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  log::reset();
  const auto before = descriptors();
  for (int i = 0; i < 3; ++i) log::configure({.file = path()});
  EXPECT_EQ(descriptors(), before + 1);
  log::reset();
  EXPECT_EQ(descriptors(), before);
}

TEST_F(LogOutput, AFileThatCannotBeOpenedLeavesTheLogWhereItWas) {
  log::configure({.file = path()});
  EXPECT_THROW(log::configure({.file = path("none/app.log")}), std::system_error);
  log::info("still here");
  EXPECT_EQ(count(text(), "still here"), 1U);
}

}  // namespace
}  // namespace squall
