// SPDX-License-Identifier: Apache-2.0
#include "net/stream_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/net/stream.hpp>

#include <chrono>
#include <string>
#include <unistd.h>
#include <vector>

namespace squall::net {
namespace {

using namespace std::chrono_literals;

class StreamWrite : public StreamPair {
 protected:
  static Task<std::string> write_all(Stream& to, std::string bytes) {
    const auto sent = co_await to.write_owned(std::move(bytes));
    co_return sent ? "sent" : sent.error().message();
  }
  static Task<std::string> flush(Stream& to) {
    const auto sent = co_await to.flush();
    co_return sent ? "flushed" : sent.error().message();
  }
  static Task<std::string> wait_closed(Stream& on) {
    const std::error_code why = co_await on.closed();
    co_return "closed: " + (why ? why.message() : "in order");
  }
  /// Drains the peer until `bytes` have come.
  std::size_t drain(std::size_t bytes) {
    std::size_t got = 0;
    loop::run_until([&] {
      got += receive().size();
      return got >= bytes;
    });
    return got;
  }
};

TEST_F(StreamWrite, DoesNotWaitBelowTheLimit) {
  start(write_all(stream, "hello"));
  EXPECT_TRUE(is_done()) << "a short write waited";
  EXPECT_EQ(finish(), "sent");
  receive_until("hello");
}

TEST_F(StreamWrite, QueuesWhenCalledNotWhenAwaited) {
  {
    std::string gone = "copied";
    stream.write(gone);
    gone.assign(gone.size(), '-');
  }
  stream.write(" twice");
  receive_until("copied twice");
}

TEST_F(StreamWrite, WaitsPastTheLimitUntilThePeerReads) {
  const std::size_t size = 4 * 1024 * 1024;
  start(write_all(stream, std::string(size, 'x')));
  turns_for(5ms);
  EXPECT_FALSE(is_done());
  EXPECT_EQ(drain(size), size);
  EXPECT_EQ(finish(), "sent");
  EXPECT_EQ(stream.pending_bytes(), 0U);
}

TEST_F(StreamWrite, TheLimitMayBeChanged) {
  stream.set_write_limit(0);
  start(write_all(stream, "x"));
  EXPECT_FALSE(is_done());
  EXPECT_EQ(finish(), "sent") << "the kernel has it";
}

TEST_F(StreamWrite, FlushWaitsForTheKernel) {
  stream.write("out");
  start(flush(stream));
  EXPECT_FALSE(is_done());
  EXPECT_EQ(finish(), "flushed");
  EXPECT_EQ(receive(), "out");
  EXPECT_EQ(run(flush(stream)), "flushed");
}

TEST_F(StreamWrite, ASecondWaitingWriteIsAUsageError) {
  start(write_all(stream, std::string(4 * 1024 * 1024, 'x')));
  turns_for(2ms);
  EXPECT_THROW(run(flush(stream)), UsageError);
  stream.abort();
  EXPECT_EQ(finish(), make_error_code(StreamError::closed).message());
}

TEST_F(StreamWrite, OutputThatNobodyAwaitsIsLimited) {
  const std::string chunk(8 * 1024 * 1024, 'x');
  for (int i = 0; i < 8; ++i) stream.write(chunk);
  EXPECT_EQ(run(write_all(stream, "one more")),
            make_error_code(StreamError::output_full).message());
  EXPECT_TRUE(stream.is_open());
  stream.abort();
}

TEST_F(StreamWrite, HalfClosingLeavesTheOtherDirectionOpen) {
  stream.write("question");
  stream.shutdown_write();
  receive_until("question");
  loop::run_until([&] { return receive(), peer_saw_end; });
  EXPECT_TRUE(stream.is_open());
  EXPECT_THROW(stream.write("too late"), UsageError);
  send("answer");
  const auto read = [](Stream& from) -> Task<std::string> {
    co_return *(co_await from.read_exactly(6));
  };
  EXPECT_EQ(run(read(stream)), "answer");
}

TEST_F(StreamWrite, AfterThePeersHalfCloseItMayStillBeWritten) {
  ::shutdown(peer.get(), SHUT_WR);
  EXPECT_EQ(run(wait_closed(stream)), "closed: in order");
  EXPECT_TRUE(stream.is_open());
  EXPECT_EQ(run(write_all(stream, "still heard")), "sent");
  receive_until("still heard");
}

TEST_F(StreamWrite, CloseSendsWhatIsPending) {
  const std::size_t size = 2 * 1024 * 1024;
  stream.write(std::string(size, 'x'));
  stream.close();
  EXPECT_FALSE(stream.is_open());
  EXPECT_EQ(run(write_all(stream, "x")), make_error_code(StreamError::closed).message());
  stream = Stream();
  EXPECT_EQ(drain(size), size);
  loop::run_until([&] { return receive(), peer_saw_end; });
}

TEST_F(StreamWrite, AbortDropsWhatIsPending) {
  stream.write("never sent");
  stream.abort();
  turn();
  EXPECT_EQ(receive(), "");
  EXPECT_FALSE(stream.is_open());
}

TEST_F(StreamWrite, APeerThatNeverReadsBreaksIt) {
  stream.set_write_timeout(20ms);
  start(write_all(stream, std::string(8 * 1024 * 1024, 'x')));
  EXPECT_EQ(finish(), std::make_error_code(std::errc::timed_out).message());
  EXPECT_EQ(stream.close_reason(), std::errc::timed_out);
  EXPECT_TRUE(is_disconnect(stream.close_reason()));
}

TEST_F(StreamWrite, WhatCameBeforeABreakCanStillBeRead) {
  send("early");
  loop::run_until([&] { return stream.buffered_bytes() == 5; });
  peer.reset();
  stream.write("lost");
  loop::run_until([&] { return !stream.is_open(); });
  const auto read = [](Stream& from) -> Task<std::string> {
    co_return *(co_await from.read_exactly(5));
  };
  EXPECT_EQ(run(read(stream)), "early");
}

TEST_F(StreamWrite, ClosedNoticesAPeerThatLeavesAnIdleStream) {
  start(wait_closed(stream));
  turns_for(2ms);
  EXPECT_FALSE(is_done());
  peer.reset();
  EXPECT_EQ(finish(), "closed: in order");
}

TEST_F(StreamWrite, ClosedNoticesItAlsoWhileInputWaits) {
  stream.set_read_ahead(1);
  send("unread");
  loop::run_until([&] { return stream.buffered_bytes() > 0; });
  send("more");
  start(wait_closed(stream));
  peer.reset();
  EXPECT_EQ(finish(), "closed: in order");
}

TEST_F(StreamWrite, ManyMayWaitForClosed) {
  std::vector<std::unique_ptr<BackgroundTask>> tasks;
  for (int i = 0; i < 5; ++i) {
    tasks.push_back(std::make_unique<BackgroundTask>());
    tasks.back()->start(wait_closed(stream));
  }
  stream = Stream();
  for (const auto& task : tasks) EXPECT_EQ(task->finish(), "closed: in order");
  Stream none;
  EXPECT_EQ(run(wait_closed(none)), "closed: in order");
}

TEST_F(StreamWrite, TheCloseCallbackComesOnceAndLater) {
  int calls = 0;
  const auto count = [&calls](std::error_code error) {
    EXPECT_FALSE(error);
    ++calls;
  };
  stream.set_close_callback(count);
  stream.close();
  EXPECT_EQ(calls, 0) << "called from within close()";
  turn();
  EXPECT_EQ(calls, 1);
  stream.set_close_callback(count);
  turn();
  EXPECT_EQ(calls, 2) << "one that is set too late is called too";
}

TEST_F(StreamWrite, TheCloseCallbackMayDestroyTheStream) {
  stream.set_close_callback([this](std::error_code) { stream = Stream(); });
  peer.reset();
  loop::run_until([&] { return !stream.is_open(); });
}

TEST_F(StreamWrite, ADestroyedStreamCallsNobody) {
  stream.set_close_callback([](std::error_code) { FAIL(); });
  stream.close();
  stream = Stream();
  turn();
}

TEST_F(StreamWrite, MovesKeepWhatIsUnderWay) {
  const auto read = [](Stream& from) -> Task<std::string> {
    co_return *(co_await from.read_exactly(4));
  };
  start(read(stream));
  Stream other = std::move(stream);
  EXPECT_FALSE(stream.is_open());  // NOLINT: its state is defined
  send("word");
  EXPECT_EQ(finish(), "word");
  stream = std::move(other);
}

TEST_F(StreamWrite, AnEmptyStreamIsClosed) {
  Stream none;
  EXPECT_EQ(none.native_handle(), -1);
  EXPECT_EQ(run(write_all(none, "x")), make_error_code(StreamError::closed).message());
  EXPECT_EQ(run(flush(none)), make_error_code(StreamError::closed).message());
  none.close();
  none.abort();
  none.shutdown_write();
}

class PipeStream : public StreamPair {
 protected:
  PipeStream() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    source = Stream::adopt_pipe(ends[0]);
    sink = Stream::adopt_pipe(ends[1]);
  }
  ~PipeStream() override {
    source = Stream();
    sink = Stream();
  }
  static Task<std::string> read_all(Stream& from) {
    const auto all = co_await from.read_until_close();
    co_return all ? *all : all.error().message();
  }
  static Task<std::string> write_all(Stream& to, std::string bytes) {
    const auto sent = co_await to.write_owned(std::move(bytes));
    co_return sent ? "sent" : sent.error().message();
  }
  Stream source;
  Stream sink;
};

TEST_F(PipeStream, CarriesMoreThanItHolds) {
  const std::string big(1024 * 1024 + 7, 'p');
  start(read_all(source));
  sink.write_owned(big);
  sink.close();
  EXPECT_EQ(finish(), big);
  EXPECT_FALSE(source.close_reason());
}

TEST_F(PipeStream, NothingIsLostWhenTheWriterEndsBeforeTheReaderBegins) {
  source.set_read_ahead(1);
  sink.write(std::string(60'000, 'p'));
  loop::run_until([&] { return source.buffered_bytes() > 0; });
  sink.write("tail");
  loop::run_until([&] { return sink.pending_bytes() == 0; });
  sink = Stream();
  turns_for(5ms);
  EXPECT_EQ(run(read_all(source)).size(), 60'004U);
}

TEST_F(PipeStream, HasOneDirection) {
  const std::string refused = std::make_error_code(std::errc::bad_file_descriptor).message();
  EXPECT_EQ(run(read_all(sink)), refused);
  EXPECT_EQ(run(write_all(source, "x")), refused);
  sink.set_read_ahead(1);
  turn();
  EXPECT_TRUE(sink.is_open());
}

TEST_F(PipeStream, AWriterHearsThatItsReaderIsGone) {
  source = Stream();
  loop::run_until([&] { return !sink.is_open(); });
  EXPECT_EQ(sink.close_reason(), std::errc::broken_pipe);
}

TEST_F(PipeStream, ARegularFileIsRefused) {
  const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  EXPECT_THROW(static_cast<void>(Stream::adopt_pipe(file)), std::system_error);
  EXPECT_THROW(static_cast<void>(Stream::adopt_socket(-1)), std::system_error);
}

}  // namespace
}  // namespace squall::net
