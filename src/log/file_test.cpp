// SPDX-License-Identifier: Apache-2.0
#include "log/file.hpp"

#include "log/log_testing.hpp"

#include <squall/base/error.hpp>

#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace squall {
namespace {

using log::LogFile;
using log::Rotation;

struct LogFileTest : LogDirectory {
  std::time_t now = std::time(nullptr);
};

TEST_F(LogFileTest, RotatesBeforeTheLineThatWouldNotFit) {
  LogFile file({.file = path(), .max_file_bytes = 10, .backups = 3}, now);
  EXPECT_EQ(file.write("one\ntwo\nthree\nfour\nfive\nsix\n", now), 0U);
  EXPECT_EQ(text(), "six\n");
  EXPECT_EQ(text("app.log.1"), "four\nfive\n");
  EXPECT_EQ(text("app.log.2"), "three\n");  // "four\n" would have made it eleven
  EXPECT_EQ(text("app.log.3"), "one\ntwo\n");
}

TEST_F(LogFileTest, ExactlyTheSizeStillFits) {
  LogFile file({.file = path(), .max_file_bytes = 8, .backups = 9}, now);
  file.write("one\ntwo\n", now);
  EXPECT_FALSE(exists("app.log.1"));
  file.write("x\n", now);
  EXPECT_EQ(text("app.log.1"), "one\ntwo\n");
  EXPECT_EQ(text(), "x\n");
}

TEST_F(LogFileTest, ALineLongerThanAFileMayBeHasOneToItself) {
  LogFile file({.file = path(), .max_file_bytes = 4, .backups = 9}, now);
  file.write("a\nlonger than four\nb\n", now);
  EXPECT_EQ(text("app.log.2"), "a\n");
  EXPECT_EQ(text("app.log.1"), "longer than four\n");
  EXPECT_EQ(text(), "b\n");
}

TEST_F(LogFileTest, TheOldestGoAndNoneAreKeptWhereNoneAreWanted) {
  LogFile file({.file = path(), .max_file_bytes = 2, .backups = 2}, now);
  file.write("1\n2\n3\n4\n5\n", now);
  EXPECT_EQ(text() + text("app.log.1") + text("app.log.2"), "5\n4\n3\n");
  EXPECT_FALSE(exists("app.log.3"));
  LogFile other({.file = path("other"), .max_file_bytes = 2, .backups = 0}, now);
  other.write("1\n2\n", now);
  EXPECT_EQ(text("other"), "2\n");
  EXPECT_FALSE(exists("other.1"));
}

TEST_F(LogFileTest, AFileThatIsThereAlreadyIsGoneOnWith) {
  { LogFile(log::OutputOptions{.file = path(), .max_file_bytes = 10}, now).write("before\n", now); }
  LogFile file({.file = path(), .max_file_bytes = 10}, now);
  file.write("x\n", now);
  EXPECT_EQ(text(), "before\nx\n");
  file.write("after\n", now);
  EXPECT_EQ(text("app.log.1"), "before\nx\n");
}

TEST_F(LogFileTest, RotatesByTimeAndForgetsTheOldest) {
  LogFile file({.file = path(), .rotation = Rotation::by_time, .backups = 2, .rotate_when = "H"},
               now);
  for (int hour = 0; hour < 4; ++hour) {
    file.write("hour " + std::to_string(hour) + "\n", now + hour * 3601);
  }
  const log::Schedule schedule("H", 1);
  EXPECT_EQ(text(), "hour 3\n");
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path(""))) {
    (void)entry;
    ++files;
  }
  EXPECT_EQ(files, 3U);
  EXPECT_EQ(text("app.log." + schedule.suffix(now + 3600)), "");  // the oldest
}

TEST_F(LogFileTest, TwoOfOneDayAreBothKept) {
  std::string first;
  for (const auto* line : {"one\n", "two\n"}) {
    LogFile file({.file = path(), .rotation = Rotation::by_time, .rotate_when = "D"}, now);
    file.write(line, now);
    file.write("next\n", now + 86'400);
    std::filesystem::remove(path());
  }
  const std::string name = "app.log." + log::Schedule("D", 1).suffix(now + 86'400);
  EXPECT_EQ(text(name), "one\n");
  EXPECT_EQ(text(name + ".2"), "two\n");
}

TEST_F(LogFileTest, AFileThatSomebodyMovedIsMadeAnewWithinASecond) {
  LogFile file({.file = path()}, now);
  file.write("one\n", now);
  std::filesystem::rename(path(), path("moved"));
  file.write("two\n", now);  // in the same second it is not looked at
  file.write("three\n", now + 1);
  EXPECT_EQ(text("moved"), "one\ntwo\n");
  EXPECT_EQ(text(), "three\n");
  std::filesystem::rename(path(), path("moved.2"));
  file.reopen();
  file.write("four\n", now + 1);
  EXPECT_EQ(text(), "four\n");
}

TEST_F(LogFileTest, ProcessesThatShareItRotateItOnce) {
  constexpr int processes = 4, lines = 500;
  for (int p = 0; p < processes; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      LogFile file({.file = path(), .max_file_bytes = 2000, .backups = 1000}, now);
      for (int i = 0; i < lines; ++i) {
        if (file.write("process " + std::to_string(p) + " line " + std::to_string(i) + "\n", now) !=
            0)
          ::_exit(1);
      }
      ::_exit(0);
    }
  }
  for (int p = 0; p < processes; ++p) {
    int status = -1;
    ASSERT_GT(::wait(&status), 0);
    EXPECT_EQ(status, 0);
  }
  std::string all;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path(""))) {
    std::ostringstream one;
    one << std::ifstream(entry.path()).rdbuf();
    all += one.str();
    ++files;
  }
  for (int p = 0; p < processes; ++p) {
    for (int i = 0; i < lines; ++i) {
      const std::string line = "process " + std::to_string(p) + " line " + std::to_string(i) + "\n";
      ASSERT_NE(all.find(line), std::string::npos) << line;
    }
  }
  EXPECT_GE(files, all.size() / 2000);
  EXPECT_LE(files, all.size() / 1500);
}

TEST_F(LogFileTest, WhatCannotBeWrittenIsCountedAndALineIsNotGluedToARest) {
  // A limit on the size of files stands for a disk that is full.
  const auto limited = [&](rlim_t bytes, auto f) {
    struct rlimit before {
    }, now_limit{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    now_limit = before;
    now_limit.rlim_cur = bytes;
    std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &now_limit);
    f();
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_DFL);
  };
  LogFile file({.file = path()}, now);
  std::uint64_t lost = 0;
  ::testing::internal::CaptureStderr();
  limited(10, [&] { lost = file.write("first\nsecond\nthird\n", now); });
  EXPECT_EQ(lost, 2U);
  const std::string told = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(told, "squall: ca");  // the limit is standard error's, too
  EXPECT_EQ(file.write("later\n", now), 0U);
  EXPECT_EQ(text(), "first\nseco\nlater\n");
}

TEST_F(LogFileTest, ADirectoryThatIsNotThereIsSaidAtOnce) {
  try {
    LogFile file({.file = path("none/app.log")}, now);
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    EXPECT_NE(std::string(error.what()).find(path("none/app.log")), std::string::npos);
  }
  EXPECT_THROW(LogFile({.file = path(), .max_file_bytes = 0}, now), UsageError);
}

}  // namespace
}  // namespace squall
