// SPDX-License-Identifier: Apache-2.0
#include "client/client_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/client/websocket.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/coro/with_timeout.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace squall::client {
namespace {

using namespace std::chrono_literals;
using websocket::Opcode;

class WebSocketClientTest : public ClientTest {
 protected:
  /// Agrees, then takes what comes until the close frame.
  static Task<> accept_and_collect(net::Stream stream, ClientTest* test) {
    co_await accept(&stream, test);
    co_await collect(&stream, test);
  }
  static Task<> echo(net::Stream stream, ClientTest* test) {
    co_await accept(&stream, test);
    for (;;) {
      const std::string frame = co_await read_frame(&stream);
      if (frame == "end") co_return;
      stream.write(server_frame(static_cast<Opcode>(frame[0] - '0'), frame.substr(2)));
      if (frame.starts_with("8:")) co_return;
    }
  }
};

TEST_F(WebSocketClientTest, WritesAndReadsMessages) {
  script = &echo;
  const auto talk = [](std::string url) -> Task<std::string> {
    WebSocket socket = co_await websocket_connect(url);
    EXPECT_TRUE(socket.is_open());
    EXPECT_EQ(socket.close_code(), 0);
    EXPECT_EQ(socket.write_message("hello"), SendResult::sent);
    const auto text = co_await socket.read();
    EXPECT_FALSE(text->is_binary());
    socket.write_message(std::string("\0\xff", 2), true);
    const auto binary = co_await socket.read();
    EXPECT_TRUE(binary->is_binary());
    EXPECT_EQ(*binary, std::string("\0\xff", 2));
    const std::string large(1024 * 1024, 'x');
    socket.write_message(large);
    co_await socket.drained();
    const auto back = co_await socket.read();
    EXPECT_TRUE(*back == large);
    socket.close(4000, "bye");
    EXPECT_FALSE(socket.is_open());
    EXPECT_EQ(socket.write_message("late"), SendResult::closed);
    const auto end = co_await socket.read();
    EXPECT_FALSE(end);
    const int code = co_await socket.closed();
    EXPECT_EQ(code, 4000);
    EXPECT_EQ(socket.close_reason(), "bye");
    co_return std::string(*text);
  };
  EXPECT_EQ(run(talk(url())), "hello");
}

TEST_F(WebSocketClientTest, WhatComesRightBehindTheHandshakeIsRead) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "", text_frame("one") + text_frame("two") + close_frame(1001));
  };
  EXPECT_EQ(run(read_all(connect())), "one,two,1001");
}

TEST_F(WebSocketClientTest, AServerThatGoesWithoutAWordEndsItWith1006) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "", text_frame("one") + text_frame("cut off").substr(0, 4));
  };
  EXPECT_EQ(run(read_all(connect())), "one,1006");
}

TEST_F(WebSocketClientTest, DroppingTheHandleClosesInOrder) {
  script = &accept_and_collect;
  std::string large(3 * 1024 * 1024, 'x');
  {
    WebSocket socket = connect({.max_queue_bytes = 8 * 1024 * 1024});
    socket.write_message("first");
    socket.write_message(large);
  }
  loop::run_until([this] { return frames.size() == 3; });
  EXPECT_EQ(frames[0], "1:first");
  EXPECT_TRUE(frames[1] == "1:" + large);
  EXPECT_EQ(frames[2], "8:\x03\xe9");  // 1001
  loop::run_until([] { return loop::LoopCore::current().busy_streams() == 0; });
}

TEST_F(WebSocketClientTest, AHandleIsMovedAndAssignedOver) {
  script = &accept_and_collect;
  WebSocket one = connect();
  WebSocket two = std::move(one);
  EXPECT_FALSE(one.is_open());
  EXPECT_EQ(one.write_message("x"), SendResult::closed);
  EXPECT_FALSE(run([](WebSocket* empty) -> Task<bool> {
    const auto message = co_await empty->read();
    co_return message.has_value();
  }(&one)));
  two.write_message("moved");
  two = WebSocket();
  loop::run_until([this] { return frames.size() == 2; });
  EXPECT_EQ(frames[0], "1:moved");
}

TEST_F(WebSocketClientTest, CallbacksGetWhatComesInOrder) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "", text_frame("1"));
    stream.write(text_frame("2") + server_frame(Opcode::binary, "3"));
    co_await collect(&stream, test);
  };
  WebSocket socket = connect();
  loop::run_until([] { return true; });  // some have come before anyone listens
  std::string got;
  int closes = 0;
  socket.on_message([&](std::string_view message, bool binary) {
    got.append(message).append(binary ? "b" : "t");
    if (got.size() == 6) socket.close(1000, "enough");
  });
  socket.on_close([&] { ++closes; });
  EXPECT_EQ(got, "");  // never inside the call
  loop::run_until([&] { return closes == 1; });
  EXPECT_EQ(got, "1t2t3b");
  EXPECT_EQ(socket.close_code(), 1000);
  EXPECT_EQ(frames.back(),
            "8:\x03\xe8"
            "enough");
}

TEST_F(WebSocketClientTest, OnCloseComesSoonWhenItIsOverAlready) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "", text_frame("last") + close_frame(4001, "over"));
  };
  WebSocket socket = connect();
  loop::run_until([&] { return socket.close_code() != 0; });
  std::string order;
  socket.on_close([&] { order += "close" + std::string(socket.close_reason()); });
  socket.on_message([&](std::string_view message, bool) { order.append(message).append(","); });
  loop::run_until([&] { return !order.empty(); });
  loop::run_until([] { return true; });
  EXPECT_EQ(order, "last,closeover");
}

TEST_F(WebSocketClientTest, TheHandleMayBeDroppedInItsCallback) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test);
    stream.write(text_frame("1") + text_frame("2"));
    co_await collect(&stream, test);
  };
  auto socket = std::make_unique<WebSocket>(connect());
  int count = 0;
  const auto witness = std::make_shared<int>(7);
  socket->on_message([&, witness](std::string_view, bool) {
    ++count;
    socket.reset();
    EXPECT_EQ(*witness, 7);  // what it holds is not destroyed under its feet
  });
  loop::run_until([this] { return !frames.empty(); });
  EXPECT_EQ(count, 1);
  EXPECT_EQ(frames.back(), "8:\x03\xe9");
  loop::run_until([&] { return witness.use_count() == 1; });
}

TEST_F(WebSocketClientTest, ACallbackThatThrowsClosesTheConnection) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "", text_frame("1"));
    co_await collect(&stream, test);
  };
  WebSocket socket = connect();
  socket.on_message([](std::string_view, bool) { throw Error("no"); });
  loop::run_until([&] { return socket.close_code() != 0; });
  EXPECT_EQ(frames.back(), "8:\x03\xf3");  // 1011
}

TEST_F(WebSocketClientTest, MisuseIsTold) {
  script = &accept_and_collect;
  WebSocket socket = connect();
  EXPECT_THROW(socket.close(1005), UsageError);
  EXPECT_THROW(socket.close(99), UsageError);
  EXPECT_THROW(socket.ping(std::string(126, 'x')), UsageError);
  const auto read_one = [](WebSocket* from) -> Task<> { co_await from->read(); };
  IOLoop::current().spawn(read_one(&socket));
  loop::run_until([] { return true; });
  EXPECT_THROW(run(read_one(&socket)), UsageError);
  EXPECT_THROW(socket.on_message([](std::string_view, bool) {}), UsageError);
  socket.close();
  loop::run_until([&] { return socket.close_code() == 1000; });
  loop::run_until([] { return true; });
  socket.on_message([](std::string_view, bool) {});
  EXPECT_THROW(run(read_one(&socket)), UsageError);
}

TEST_F(WebSocketClientTest, AReadThatIsCancelledHasTakenNothing) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test);
    const std::string go = co_await read_frame(&stream);
    stream.write(text_frame("after " + go.substr(2)));
    co_await collect(&stream, test);
  };
  const auto talk = [](std::string url) -> Task<std::string> {
    WebSocket socket = co_await websocket_connect(url);
    int timed_out = 0;
    for (const Duration limit : {Duration(10ms), Duration()}) {
      try {
        co_await socket.read(limit);
      } catch (const TimeoutError&) {
        ++timed_out;
      }
    }
    try {
      co_await with_timeout(10ms, socket.read());
    } catch (const TimeoutError&) {
      ++timed_out;
    }
    EXPECT_EQ(timed_out, 3);
    socket.write_message("all");
    const auto message = co_await socket.read();
    co_return std::string(*message);
  };
  EXPECT_EQ(run(talk(url())), "after all");
}

TEST_F(WebSocketClientTest, WaitsEndWhenTheHandleGoes) {
  script = &accept_and_collect;
  auto socket = std::make_unique<WebSocket>(connect());
  std::string order;
  const auto read = [](WebSocket* from, std::string* told) -> Task<> {
    const auto message = co_await from->read();
    *told += message ? "message " : "end ";
  };
  const auto wait = [](WebSocket* from, std::string* told) -> Task<> {
    const int code = co_await from->closed();
    *told += "closed " + std::to_string(code);
  };
  IOLoop::current().spawn(read(socket.get(), &order));
  IOLoop::current().spawn(wait(socket.get(), &order));
  loop::run_until([] { return true; });
  socket.reset();
  loop::run_until([&] { return order.size() > 10; });
  EXPECT_EQ(order, "end closed 1001");
}

// The reader's pace reaches the server, and nothing is lost, also when the server has closed
// meanwhile and the reader takes longer than any time-out.
TEST_F(WebSocketClientTest, ASlowReaderHoldsTheServerBackAndLosesNothing) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test);
    stream.set_write_timeout(Duration());
    const std::string message(64 * 1024, 'm');
    for (int i = 0; i < 500; ++i) {
      std::string numbered = std::to_string(i) + message;
      const auto written = co_await stream.write(text_frame(numbered));
      EXPECT_TRUE(written);
      test->pending = stream.pending_bytes();
      test->frames.push_back({});
    }
    stream.write(close_frame(1000, "done"));
    const auto flushed = co_await stream.flush();
    EXPECT_TRUE(flushed);
    test->answer = "sent";
    co_await collect(&stream, test);
  };
  WebSocket socket = connect({.close_timeout = 10ms, .max_unread_bytes = 256 * 1024});
  std::size_t sent = 0;
  int still = 0;
  loop::run_until([&] {
    still = frames.size() == sent ? still + 1 : 0;
    sent = frames.size();
    return still > 200;
  });
  EXPECT_GT(sent, 3u);
  EXPECT_LT(sent, 400u);  // 32 MB are not taken by sockets and limits
  EXPECT_NE(answer, "sent");
  const auto read_slowly = [](WebSocket from) -> Task<int> {
    int count = 0;
    for (;;) {
      const auto message = co_await from.read();
      if (!message) break;
      const std::string number = std::to_string(count);
      EXPECT_EQ(message->substr(0, number.size()), number);
      EXPECT_EQ(message->size(), number.size() + 64 * 1024);
      if (++count > 495) co_await sleep(25ms);
    }
    EXPECT_EQ(from.close_code(), 1000);
    EXPECT_EQ(from.close_reason(), "done");
    co_return count;
  };
  EXPECT_EQ(run(read_slowly(std::move(socket))), 500);
}

// What was received before close() is read in order, also past max_unread_bytes; what the server
// says after it is not.
TEST_F(WebSocketClientTest, WhatCameBeforeACloseCanBeReadAfterIt) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "", text_frame("1") + text_frame("2") + text_frame("3"));
    const std::string frame = co_await read_frame(&stream);
    test->frames.push_back(frame);
    stream.write(text_frame("late") + server_frame(Opcode::close, frame.substr(2)));
  };
  const auto read_on = [](WebSocket socket) -> Task<std::string> {
    const auto first = co_await socket.read();
    socket.close(4000, "enough");
    Task<std::string> rest = read_all(std::move(socket));
    const std::string all = co_await rest;
    co_return *first + "," + all;
  };
  for (const std::size_t max_unread_bytes : {std::size_t{1}, limits::websocket_unread_bytes}) {
    EXPECT_EQ(run(read_on(connect({.max_unread_bytes = max_unread_bytes}))), "1,2,3,4000");
  }
  EXPECT_EQ(frames.back(),
            "8:\x0f\xa0"
            "enough");
}

TEST_F(WebSocketClientTest, WhatIsHeldAfterACloseIsBounded) {
  constexpr std::size_t size = 64 * 1024;
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test);
    stream.set_write_timeout(Duration());
    for (int i = 0; i < 500; ++i) {
      const auto written =
          co_await stream.write(text_frame(std::to_string(i) + std::string(size, 'm')));
      if (!written) co_return;
      test->frames.push_back({});
    }
    co_await stream.closed();
  };
  WebSocket socket = connect({.close_timeout = 10ms, .max_unread_bytes = 4 * size});
  std::size_t sent = 0;
  int still = 0;
  loop::run_until([&] {
    still = frames.size() == sent ? still + 1 : 0;
    sent = frames.size();
    return still > 200;
  });
  socket.close();
  const auto count = [](WebSocket from) -> Task<std::size_t> {
    std::size_t read = 0;
    for (;;) {
      const auto message = co_await from.read();
      if (!message) break;
      const std::string number = std::to_string(read++);
      EXPECT_EQ(message->substr(0, number.size() + 1), number + "m");
      EXPECT_EQ(message->size(), number.size() + size);
    }
    co_return read;
  };
  const std::size_t read = run(count(std::move(socket)));
  EXPECT_GE(read, 4u);
  EXPECT_LE(read, 10u) << "of " << sent;  // the limit, one message over it, and one receive
}

TEST_F(WebSocketClientTest, AfterACloseNoMessageIsCalledBack) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "", text_frame("1") + text_frame("2"));
    stream.write(text_frame("3") + text_frame("4"));
    co_await collect(&stream, test);
  };
  for (const bool waits : {false, true}) {  // until they are there before anyone listens
    WebSocket socket = connect();
    if (waits) loop::run_until([] { return true; });
    std::string got;
    socket.on_message([&](std::string_view message, bool) {
      got.append(message);
      if (message == "1") socket.close();
    });
    socket.on_close([&] { got.append("."); });
    loop::run_until([&] { return got.ends_with("."); });
    EXPECT_EQ(got, "1.");
  }
}

TEST_F(WebSocketClientTest, AMessagePastTheLimitClosesWith1009) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "", text_frame("1234") + text_frame("12345"));
    co_await collect(&stream, test);
  };
  EXPECT_EQ(run(read_all(connect({.max_message_bytes = 4}))), "1234,1009");
  loop::run_until([this] { return !frames.empty(); });
  EXPECT_EQ(frames.back().substr(0, 4), "8:\x03\xf1");
}

TEST_F(WebSocketClientTest, AMaskedFrameFailsTheConnection) {  // RFC 6455 §5.1
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "",
                    std::string("\x81\x81"
                                "abcdx"));
    co_await collect(&stream, test);
  };
  EXPECT_EQ(run(read_all(connect())), "1002");
}

TEST_F(WebSocketClientTest, FragmentsAndPingsBetweenThem) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "",
                    server_frame(Opcode::text, "a", false) + server_frame(Opcode::ping, "p") +
                        server_frame(Opcode::continuation, "b", true));
    const std::string pong = co_await read_frame(&stream);
    test->frames.push_back(pong);
    stream.write(close_frame(1000));
    co_await collect(&stream, test);
  };
  EXPECT_EQ(run(read_all(connect())), "ab,1000");
  EXPECT_EQ(frames.front(), "10:p");
}

TEST_F(WebSocketClientTest, PingsFindAServerThatIsGone) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test);
    const std::string ping = co_await read_frame(&stream);
    test->frames.push_back(ping);
    stream.write(server_frame(Opcode::pong, ""));
    const std::string again = co_await read_frame(&stream);
    test->frames.push_back(again);
    co_await stream.closed();
  };
  WebSocket socket = connect({.ping_interval = 20ms});
  int pongs = 0;
  socket.on_pong([&](std::string_view) { ++pongs; });
  EXPECT_EQ(run(read_all(std::move(socket))), "1006");
  EXPECT_EQ(frames, (std::vector<std::string>{"9:", "9:"}));
  EXPECT_EQ(pongs, 1);
}

TEST_F(WebSocketClientTest, AServerThatDoesNotAnswerTheCloseIsLeft) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test);
    co_await stream.closed();
  };
  WebSocket socket = connect({.close_timeout = 20ms});
  socket.close();
  EXPECT_EQ(run(read_all(std::move(socket))), "1006");
}

TEST_F(WebSocketClientTest, OutputThatNobodyTakesIsBounded) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test);
    stream.set_read_ahead(1);
    co_await sleep(1h);
  };
  WebSocket socket = connect({.max_queue_bytes = 100'000});
  const std::string message(50'000, 'x');
  SendResult result = SendResult::sent;
  for (int i = 0; i < 1000 && result == SendResult::sent; ++i) {
    result = socket.write_message(message);
  }
  EXPECT_EQ(result, SendResult::overflow);
  const auto wait = [](WebSocket from) -> Task<> { co_await from.drained(); };
  EXPECT_THROW(run(wait(std::move(socket))), WebSocketClosedError);
}

}  // namespace
}  // namespace squall::client
