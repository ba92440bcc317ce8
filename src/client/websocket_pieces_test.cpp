// SPDX-License-Identifier: Apache-2.0
// Large messages in pieces, both ways.
#include "client/client_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/client/websocket.hpp>

#include <algorithm>
#include <chrono>

namespace squall::client {
namespace {

using namespace std::chrono_literals;
using websocket::Opcode;

class WebSocketPiecesTest : public ClientTest {
 protected:
  /// Says `answer` once the client has said something, and takes what comes until its close frame.
  static Task<> say(net::Stream stream, ClientTest* test) {
    co_await accept(&stream, test);
    const std::string go = co_await read_frame(&stream);
    test->frames.push_back(go);
    stream.set_write_timeout(Duration());
    const auto written = co_await stream.write(test->answer);
    EXPECT_TRUE(written);
    co_await collect(&stream, test);
  }
  /// Pieces with commas between them, a dot behind a last one, up to the close code.
  static Task<std::string> read_pieces(WebSocket socket) {
    std::string all;
    socket.write_message("go");
    for (;;) {
      const auto piece = co_await socket.read_piece();
      if (!piece) break;
      all.append(*piece).append(piece->is_binary() ? "b" : "").append(piece->is_last() ? "." : ",");
    }
    co_return all + std::to_string(socket.close_code());
  }
};

TEST_F(WebSocketPiecesTest, MessagesAreReadAsTheyCome) {
  script = &say;
  answer = server_frame(Opcode::text, "one", false) + server_frame(Opcode::ping, "") +
           server_frame(Opcode::continuation, "two", false) +
           server_frame(Opcode::continuation, "") + server_frame(Opcode::binary, "whole") +
           close_frame(1000);
  EXPECT_EQ(run(read_pieces(connect())), "one,two,.wholeb.1000");
}

TEST_F(WebSocketPiecesTest, AMessageThatEndsInTheMiddleHasNoLastPiece) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test);
    const std::string go = co_await read_frame(&stream);
    stream.write(server_frame(Opcode::text, "one", false));
  };
  EXPECT_EQ(run(read_pieces(connect())), "one,1006");
}

TEST_F(WebSocketPiecesTest, WhatCameBeforeAnyoneReadsIsInPiecesToo) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "",
                    server_frame(Opcode::text, "one", false) +
                        server_frame(Opcode::continuation, "two") + close_frame(1000));
  };
  WebSocket socket = connect();
  loop::run_until([&] { return socket.close_code() != 0; });
  EXPECT_EQ(run(read_pieces(std::move(socket))), "one,two.1000");
}

// A message ten times as large as what may be held, which the reader never has whole.
TEST_F(WebSocketPiecesTest, ALargeMessageIsNeverHeldWhole) {
  script = &say;
  const std::size_t size = 32 * 1024 * 1024;
  answer = server_frame(Opcode::binary, std::string(size, 'x')) + close_frame(1000);
  const auto measure = [](WebSocket socket, std::size_t* largest) -> Task<std::size_t> {
    std::size_t all = 0;
    socket.write_message("go");
    for (;;) {
      const auto piece = co_await socket.read_piece();
      if (!piece) break;
      EXPECT_TRUE(piece->is_binary());
      all += piece->size();
      *largest = std::max(*largest, piece->size());
      EXPECT_EQ(piece->is_last(), all == 32 * 1024 * 1024);
    }
    EXPECT_EQ(socket.close_code(), 1000);
    co_return all;
  };
  std::size_t largest = 0;
  const WebSocketOptions options{.max_message_bytes = size, .max_unread_bytes = 256 * 1024};
  EXPECT_EQ(run(measure(connect(options), &largest)), size);
  EXPECT_LT(largest, 1024u * 1024);
}

// ... also when it begins right behind the handshake, and is not read for a while.
TEST_F(WebSocketPiecesTest, TheFirstMessageHoldsTheServerBackBeforeAnyoneReads) {
  static constexpr std::size_t block = 64 * 1024;
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, "", server_frame(Opcode::text, "first", false));
    stream.set_write_timeout(Duration());
    for (int i = 0; i < 500; ++i) {
      const auto written = co_await stream.write(
          server_frame(Opcode::continuation, std::string(block, 'x'), i == 499));
      EXPECT_TRUE(written);
      test->frames.push_back({});
    }
    test->answer = "sent";
    stream.write(close_frame(1000));
    co_await stream.closed();
  };
  WebSocket socket = connect({.max_message_bytes = 1u << 26, .max_unread_bytes = 4 * block});
  std::size_t sent = 0;
  int still = 0;
  loop::run_until([&] {
    still = frames.size() == sent ? still + 1 : 0;
    sent = frames.size();
    return still > 200;
  });
  EXPECT_LT(sent, 400u);
  EXPECT_NE(answer, "sent");
  const auto read = [](WebSocket from) -> Task<std::size_t> {
    const auto whole = co_await from.read();
    const auto end = co_await from.read();
    EXPECT_FALSE(end);
    co_return whole->size();
  };
  EXPECT_EQ(run(read(std::move(socket))), 5 + 500 * block);
}

TEST_F(WebSocketPiecesTest, TheLimitIsForTheWholeMessage) {
  script = &say;
  answer =
      server_frame(Opcode::text, "1234", false) + server_frame(Opcode::continuation, "5", false);
  EXPECT_EQ(run(read_pieces(connect({.max_message_bytes = 4}))), "1234,1009");
}

// The first piece of it that waits fills the room: a read of the whole message lets its end come.
TEST_F(WebSocketPiecesTest, AWholeMessageIsPutTogetherFromPiecesThatWait) {
  script = &say;
  const std::string large(3 * 1024 * 1024, 'x');
  answer = server_frame(Opcode::text, "first", false) + server_frame(Opcode::continuation, "") +
           server_frame(Opcode::text, large) + text_frame("after") + close_frame(1000);
  const auto read = [](WebSocket socket, std::size_t size) -> Task<std::string> {
    socket.write_message("go");
    std::string refusal;
    const auto first = co_await socket.read_piece();
    try {
      co_await socket.read();
    } catch (const UsageError&) {
      refusal = "refused,";
    }
    try {
      socket.on_message([](std::string_view, bool) {});
    } catch (const UsageError&) {
      refusal += "refused,";
    }
    const auto end = co_await socket.read_piece();
    EXPECT_TRUE(end->is_last());
    const auto second = co_await socket.read();
    EXPECT_EQ(second->size(), size);
    EXPECT_TRUE(second->is_last());
    Task<std::string> rest = read_all(std::move(socket));
    const std::string all = co_await rest;
    co_return refusal + *first + "," + all;
  };
  EXPECT_EQ(run(read(connect({.max_unread_bytes = 1}), large.size())),
            "refused,refused,first,after,1000");
}

TEST_F(WebSocketPiecesTest, ACallbackGetsWholeMessagesAgain) {
  script = &say;
  answer = text_frame("one") + server_frame(Opcode::text, "tw", false);
  WebSocket socket = connect({.max_unread_bytes = 1});
  const auto read = [](WebSocket* from) -> Task<std::string> {
    from->write_message("go");
    const auto piece = co_await from->read_piece();
    co_return std::string(*piece);
  };
  EXPECT_EQ(run(read(&socket)), "one");
  std::string got;
  socket.on_message([&](std::string_view message, bool) { got.append(message).append(","); });
  loop::run_until([&] { return frames.size() == 1; });
  server.close_all();
  loop::run_until([&] { return socket.close_code() == 1006; });
  EXPECT_EQ(got, "");  // of a message without its end nothing
}

TEST_F(WebSocketPiecesTest, AReadOfAPieceThatIsCancelledHasTakenNothing) {
  script = &say;
  answer = server_frame(Opcode::text, "a", false) + server_frame(Opcode::continuation, "b");
  const auto read = [](WebSocket socket) -> Task<std::string> {
    int timed_out = 0;
    for (const Duration limit : {Duration(5ms), Duration()}) {
      try {
        co_await socket.read_piece(limit);
      } catch (const TimeoutError&) {
        ++timed_out;
      }
    }
    EXPECT_EQ(timed_out, 2);
    Task<std::string> pieces = read_pieces(std::move(socket));
    WebSocket none;
    const auto nothing = co_await none.read_piece();
    EXPECT_FALSE(nothing);
    EXPECT_EQ(none.write_piece("x", true), SendResult::closed);
    co_return co_await pieces;
  };
  answer += close_frame(1000);
  EXPECT_EQ(run(read(connect())), "a,b.1000");
}

TEST_F(WebSocketPiecesTest, MessagesAreWrittenInPieces) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test);
    co_await collect(&stream, test);
  };
  const auto write = [](WebSocket socket) -> Task<> {
    EXPECT_EQ(socket.write_piece("one ", false, true), SendResult::sent);
    co_await socket.drained();
    EXPECT_EQ(socket.write_message("whole"), SendResult::sent);  // waits for the end of the first
    EXPECT_EQ(socket.write_piece("two", false), SendResult::sent);
    EXPECT_EQ(socket.write_piece("", true), SendResult::sent);
    socket.close();
    EXPECT_EQ(socket.write_piece("late", true), SendResult::closed);
    co_await socket.closed();
  };
  run(write(connect()));
  EXPECT_EQ(frames, (std::vector<std::string>{"2:one ", "0:two", "0:", "1:whole", "8:\x03\xe8"}));
}

}  // namespace
}  // namespace squall::client
