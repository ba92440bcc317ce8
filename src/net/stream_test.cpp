// SPDX-License-Identifier: Apache-2.0
#include "net/stream_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/net/stream.hpp>

#include <chrono>
#include <optional>
#include <unistd.h>

namespace squall::net {
namespace {

using namespace std::chrono_literals;

class StreamTest : public StreamPair {};

Task<std::string> echo_some(Stream& stream) {
  char buffer[64];
  const auto got = co_await stream.read_some(buffer);
  if (!got) co_return got.error().message();
  co_return std::string(buffer, *got);
}

TEST_F(StreamTest, ReadSomeGivesWhatHasCome) {
  send("hello");
  EXPECT_EQ(run(echo_some(stream)), "hello");
}

TEST_F(StreamTest, TheEndOfTheStreamIsZeroBytesNotAnError) {
  send("last");
  peer.reset();
  EXPECT_EQ(run(echo_some(stream)), "last");
  EXPECT_EQ(run(echo_some(stream)), "");
  EXPECT_FALSE(stream.close_reason());
}

TEST_F(StreamTest, ReadExactlyWaitsForAllOfIt) {
  const auto read = [](Stream& from) -> Task<std::string> {
    const auto first = co_await from.read_exactly(3);
    const auto second = co_await from.read_exactly(4);
    const auto none = co_await from.read_exactly(0);
    co_return *first + "|" + *second + "|" + *none;
  };
  start(read(stream));
  for (const char* piece : {"a", "bcd", "ef", "gh"}) {
    send(piece);
    turn();
  }
  EXPECT_EQ(finish(), "abc|defg|");
  EXPECT_EQ(stream.buffered_bytes(), 1U);
}

TEST_F(StreamTest, AnEndThatComesTooSoonIsAnErrorAndWhatCameStaysReadable) {
  send("abc");
  peer.reset();
  const auto read = [](Stream& from) -> Task<std::string> {
    const auto all = co_await from.read_exactly(10);
    EXPECT_EQ(all.error(), StreamError::end_of_stream);
    char target[10];
    const auto filled = co_await from.read_into(target);
    EXPECT_EQ(filled.error(), StreamError::end_of_stream);
    const auto line = co_await from.read_until("\n");
    EXPECT_EQ(line.error(), StreamError::end_of_stream);
    const auto rest = co_await from.read_until_close();
    co_return *rest;
  };
  EXPECT_EQ(run(read(stream)), "abc");
}

TEST_F(StreamTest, ReadIntoFillsTheTargetAcrossPieces) {
  const auto read = [](Stream& from) -> Task<std::string> {
    std::string target(6, '-');
    const auto got = co_await from.read_into(target);
    EXPECT_EQ(*got, 6U);
    co_return target;
  };
  start(read(stream));
  for (const char* piece : {"1", "23", "456789"}) {
    send(piece);
    turn();
  }
  EXPECT_EQ(finish(), "123456");
  EXPECT_EQ(run(echo_some(stream)), "789");
}

TEST_F(StreamTest, ReadUntilFindsADelimiterSplitAtEveryByte) {
  const std::string text = "one\r\n\r\ntwo\r\n\r\n";
  const auto read = [](Stream& from) -> Task<std::string> {
    const auto first = co_await from.read_until("\r\n\r\n");
    const auto second = co_await from.read_until("\r\n\r\n");
    co_return *first + "|" + *second;
  };
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    SCOPED_TRACE(cut);
    start(read(stream));
    send(text.substr(0, cut));
    turn();
    send(text.substr(cut));
    EXPECT_EQ(finish(), "one\r\n\r\n|two\r\n\r\n");
  }
}

TEST_F(StreamTest, ReadLineTakesEitherLineEndAndTheUnfinishedLastLine) {
  send("unix\ndos\r\n\nlast");
  peer.reset();
  const auto read = [](Stream& from) -> Task<std::string> {
    std::string all;
    for (;;) {
      const auto line = co_await from.read_line();
      if (!line) {
        EXPECT_EQ(line.error(), StreamError::end_of_stream);
        co_return all;
      }
      all += "[" + *line + "]";
    }
  };
  EXPECT_EQ(run(read(stream)), "[unix][dos][][last]");
}

TEST_F(StreamTest, ReadUntilRegexMatchesWhatHasCome) {
  const auto read = [](Stream& from) -> Task<std::string> {
    const auto first = co_await from.read_until_regex("b+;");
    const auto second = co_await from.read_until_regex("\\xff");
    co_return *first + "|" + std::to_string(second->size());
  };
  start(read(stream));
  for (const char* piece : {"aab", "bb", ";x", "y\xff"}) {
    send(piece);
    turn();
  }
  EXPECT_EQ(finish(), "aabbb;|3");
}

TEST_F(StreamTest, ABadPatternAndAnEmptyDelimiterAreUsageErrors) {
  const auto regex = [](Stream& from) -> Task<std::string> {
    co_return *(co_await from.read_until_regex("("));
  };
  const auto until = [](Stream& from) -> Task<std::string> {
    co_return *(co_await from.read_until(""));
  };
  EXPECT_THROW(run(regex(stream)), UsageError);
  EXPECT_THROW(run(until(stream)), UsageError);
}

struct LimitCase {
  const char* name;
  Task<Result<std::string>> (*read)(Stream&, std::size_t limit);
};

class StreamLimit : public StreamPair, public ::testing::WithParamInterface<LimitCase> {
 protected:
  Task<std::string> attempt(std::size_t limit) {
    auto got = co_await GetParam().read(stream, limit);
    if (got) co_return *got;
    co_return got.error() == StreamError::limit_exceeded ? "exceeded" : got.error().message();
  }
};

TEST_P(StreamLimit, IsExactAndPastItTheStreamIsClosed) {
  send("12345\n");
  EXPECT_EQ(run(attempt(6)).substr(0, 5), "12345");
  EXPECT_TRUE(stream.is_open());
  send("12345\n");
  EXPECT_EQ(run(attempt(5)), "exceeded");
  EXPECT_FALSE(stream.is_open());
  EXPECT_EQ(stream.close_reason(), StreamError::limit_exceeded);
}

TEST_P(StreamLimit, IsNoticedBeforeTheEndComes) {
  start(attempt(5));
  send("1234");
  turn();
  EXPECT_FALSE(is_done());
  send("567");
  EXPECT_EQ(finish(), "exceeded");
}

INSTANTIATE_TEST_SUITE_P(
    Reads, StreamLimit,
    ::testing::Values(LimitCase{"until",
                                [](Stream& from, std::size_t limit) -> Task<Result<std::string>> {
                                  co_return co_await from.read_until("\n", limit);
                                }},
                      LimitCase{"line",
                                [](Stream& from, std::size_t limit) -> Task<Result<std::string>> {
                                  co_return co_await from.read_line(limit);
                                }},
                      LimitCase{"regex",
                                [](Stream& from, std::size_t limit) -> Task<Result<std::string>> {
                                  co_return co_await from.read_until_regex("\n", limit);
                                }}),
    [](const auto& suite) { return std::string(suite.param.name); });

TEST_F(StreamTest, ReadUntilCloseIsLimitedToo) {
  send("0123456789");
  peer.reset();
  const auto read = [](Stream& from, std::size_t limit) -> Task<std::string> {
    const auto got = co_await from.read_until_close(limit);
    co_return got ? *got : got.error().message();
  };
  EXPECT_EQ(run(read(stream, 9)), make_error_code(StreamError::limit_exceeded).message());
}

TEST_F(StreamTest, AnAbsurdlyLongReadIsRefusedBeforeItWaits) {
  const auto read = [](Stream& from) -> Task<std::string> {
    const auto got = co_await from.read_exactly(limits::stream_read_bytes + 1);
    co_return got.error().message();
  };
  EXPECT_EQ(run(read(stream)), make_error_code(StreamError::limit_exceeded).message());
}

TEST_F(StreamTest, ASecondReadAtATimeIsAUsageError) {
  start(echo_some(stream));
  turn();
  EXPECT_THROW(run(echo_some(stream)), UsageError);
  send("for the first");
  EXPECT_EQ(finish(), "for the first");
}

TEST_F(StreamTest, ACancelledReadLosesNoByte) {
  const auto read = [](Stream& from) -> Task<std::string> {
    bool timed_out = false;
    const auto fill = [](Stream& source) -> Task<std::size_t> {
      char target[10];
      const auto got = co_await source.read_into(target);
      co_return *got;
    };
    try {
      co_await with_timeout(10ms, fill(from));
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    const auto all = co_await from.read_exactly(10);
    co_return *all;
  };
  start(read(stream));
  send("01234");
  turn();
  turns_for(15ms);
  send("56789");
  EXPECT_EQ(finish(), "0123456789");
}

TEST_F(StreamTest, ItStopsReceivingWhenNobodyReads) {
  std::size_t sent = 0;
  const std::string chunk(16 * 1024, 'x');
  loop::run_until([&] {
    const ssize_t got = ::write(peer.get(), chunk.data(), chunk.size());
    if (got > 0) sent += static_cast<std::size_t>(got);
    return got < 0;
  });
  turns_for(5ms);
  EXPECT_GE(stream.buffered_bytes(), limits::stream_read_ahead_bytes);
  EXPECT_LE(stream.buffered_bytes(), limits::stream_read_ahead_bytes + 128 * 1024);
  EXPECT_GT(sent, stream.buffered_bytes());
  peer.reset();
  const auto read = [](Stream& from) -> Task<std::string> {
    co_return *(co_await from.read_until_close());
  };
  EXPECT_EQ(run(read(stream)).size(), sent) << "what waited in the kernel was lost";
}

TEST_F(StreamTest, WhatWaitsInTheKernelOutlivesAnEndOnBothSides) {
  stream.set_read_ahead(1);
  stream.shutdown_write();
  send("kept");
  loop::run_until([&] { return stream.buffered_bytes() == 4; });
  send(std::string(100'000, 'x'));
  peer.reset();
  turns_for(5ms);
  EXPECT_TRUE(stream.is_open()) << stream.close_reason().message();
  const auto read = [](Stream& from) -> Task<std::string> {
    co_return *(co_await from.read_until_close());
  };
  EXPECT_EQ(run(read(stream)).size(), 100'004U);
  turns_for(5ms);
  EXPECT_FALSE(stream.close_reason()) << stream.close_reason().message();
}

TEST_F(StreamTest, AReadTimeoutCountsFromTheLastByteAndLeavesTheStreamOpen) {
  stream.set_read_timeout(20ms);
  const auto read = [](Stream& from) -> Task<std::string> {
    const auto got = co_await from.read_exactly(4);
    EXPECT_EQ(got.error(), StreamError::read_timed_out);
    const auto again = co_await from.read_exactly(2);
    co_return *again;
  };
  start(read(stream));
  send("ab");
  EXPECT_EQ(finish(), "ab");
  EXPECT_TRUE(stream.is_open());
}

TEST_F(StreamTest, AnIdleTimeoutClosesTheStream) {
  stream.set_idle_timeout(10ms);
  start(echo_some(stream));
  EXPECT_EQ(finish(), make_error_code(StreamError::idle_timed_out).message());
  EXPECT_FALSE(stream.is_open());
  EXPECT_EQ(stream.close_reason(), StreamError::idle_timed_out);
}

TEST_F(StreamTest, DestroyingItEndsAWaitingReadWithClosed) {
  start(echo_some(stream));
  turn();
  stream = Stream();
  EXPECT_EQ(finish(), make_error_code(StreamError::closed).message());
}

TEST_F(StreamTest, AReadMayDestroyItsOwnStream) {
  const auto read = [](Stream& from) -> Task<std::string> {
    char buffer[4];
    const auto got = co_await from.read_some(buffer);
    from = Stream();
    co_return std::string(buffer, *got);
  };
  start(read(stream));
  turn();
  send("gone and more");
  EXPECT_EQ(finish(), "gone");
}

TEST_F(StreamTest, ASuspendedReaderMayBeDestroyed) {
  start(echo_some(stream));
  turn();
  background.cancel();
  send("later");
  EXPECT_EQ(run(echo_some(stream)), "later");
}

}  // namespace
}  // namespace squall::net
