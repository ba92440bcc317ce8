// SPDX-License-Identifier: Apache-2.0
#include "loop/fd_handlers.hpp"

#include "loop/loop_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/loop/unique_fd.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace squall::loop {
namespace {

class FdHandlerTest : public ::testing::Test {
 protected:
  FdHandlerTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
  }
  ~FdHandlerTest() override { loop.remove_handler(ours.get()); }

  void send(std::string_view text) {
    ASSERT_EQ(::write(theirs.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  IOLoop& loop = IOLoop::current();
  UniqueFd ours;
  UniqueFd theirs;
};

TEST_F(FdHandlerTest, IsCalledInEachTurnAsLongAsThereIsSomethingToRead) {
  std::string got;
  loop.add_handler(
      ours.get(),
      [&](int fd, unsigned events) {
        EXPECT_EQ(events, IOLoop::readable);
        char one;
        if (::read(fd, &one, 1) == 1) got += one;
      },
      IOLoop::readable);
  send("abc");
  run_until([&] { return got == "abc"; });
}

TEST_F(FdHandlerTest, ChangesWhatItWaitsFor) {
  int writable = 0;
  int readable = 0;
  loop.add_handler(
      ours.get(),
      [&](int fd, unsigned events) {
        if ((events & IOLoop::writable) != 0) {
          ++writable;
          loop.update_handler(fd, IOLoop::readable);
        } else {
          char bytes[8];
          readable += static_cast<int>(::read(fd, bytes, sizeof bytes));
        }
      },
      IOLoop::writable);
  run_until([&] { return writable == 1; });
  send("x");
  run_until([&] { return readable == 1; });
  EXPECT_EQ(writable, 1);
}

TEST_F(FdHandlerTest, HearsOfAPeerThatLeaves) {
  bool ended = false;
  loop.add_handler(
      ours.get(),
      [&](int fd, unsigned) {
        char byte;
        ended = ::read(fd, &byte, 1) == 0;
        loop.remove_handler(fd);  // from within
      },
      IOLoop::readable);
  theirs.reset();
  run_until([&] { return ended; });
}

TEST_F(FdHandlerTest, AHandlerThatThrowsIsKept) {
  int calls = 0;
  loop.add_handler(
      ours.get(),
      [&](int fd, unsigned) {
        char byte;
        static_cast<void>(::read(fd, &byte, 1));
        if (++calls == 1) throw Error("on purpose");
      },
      IOLoop::readable);
  send("ab");
  run_until([&] { return calls == 2; });
}

TEST_F(FdHandlerTest, RefusesWhatCannotWork) {
  loop.add_handler(
      ours.get(), [](int, unsigned) {}, IOLoop::readable);
  EXPECT_THROW(loop.add_handler(
                   ours.get(), [](int, unsigned) {}, IOLoop::readable),
               UsageError);
  EXPECT_THROW(loop.add_handler(
                   theirs.get(), [](int, unsigned) {}, 0),
               UsageError);
  EXPECT_THROW(loop.update_handler(theirs.get(), IOLoop::readable), UsageError);
  loop.remove_handler(theirs.get());
  const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_THROW(loop.add_handler(
                   file.get(), [](int, unsigned) {}, IOLoop::readable),
               std::system_error);
}

}  // namespace
}  // namespace squall::loop
