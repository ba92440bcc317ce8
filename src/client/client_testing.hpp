// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/loop_core.hpp"
#include "loop/loop_testing.hpp"
#include "websocket/frame.hpp"
#include "websocket/handshake.hpp"

#include <squall/base/log.hpp>
#include <squall/client/websocket.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/net/stream.hpp>
#include <squall/net/tcp_server.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::client {

/// An unmasked frame, as servers send them.
inline std::string server_frame(websocket::Opcode opcode, std::string_view payload,
                                bool fin = true) {
  char head[websocket::max_frame_head_bytes];
  const std::size_t size = websocket::encode_frame_head(head, opcode, fin, payload.size());
  return std::string(head, size).append(payload);
}
inline std::string text_frame(std::string_view payload) {
  return server_frame(websocket::Opcode::text, payload);
}
inline std::string close_frame(int code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return server_frame(websocket::Opcode::close, payload.append(reason));
}

/// A server on this thread's loop that does what a script says, once for each connection.
class ClientTest : public ::testing::Test {
 public:
  using Script = Task<> (*)(net::Stream stream, ClientTest* test);

  ClientTest()
      : server([this](net::Stream stream, net::SocketAddress) {
          return script(std::move(stream), this);
        }) {
    log::set_sink([](void*, log::Level, std::string_view, std::string_view) {}, nullptr);
    port = server.listen(0, {.address = "127.0.0.1"});
  }
  ~ClientTest() override {
    server.stop();
    server.close_all();
    loop::run_until([this] { return server.connections() == 0; });
    loop::run_until([] { return loop::LoopCore::current().busy_streams() == 0; });
    log::set_sink(nullptr, nullptr);
  }

  /// Reads a request's head, and keeps it.
  static Task<> read_request(net::Stream* stream, ClientTest* test) {
    auto head = co_await stream->read_until("\r\n\r\n");
    test->requests.push_back(head ? std::move(*head) : "error: " + head.error().message());
  }
  /// The answer that agrees to an opening handshake.
  static std::string agreement(std::string_view request, std::string_view fields = {}) {
    const websocket::AcceptValue value =
        websocket::accept_value(field(request, "Sec-WebSocket-Key"));
    std::string text =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: ";
    return text.append(value.data(), value.size()).append("\r\n").append(fields).append("\r\n");
  }
  /// Answers an opening handshake, with more fields and what is to come right behind.
  static Task<> accept(net::Stream* stream, ClientTest* test, std::string fields = {},
                       std::string behind = {}) {
    co_await read_request(stream, test);
    stream->write(agreement(test->requests.back(), fields) + behind);
  }
  /// The next frame of the client, unmasked: its opcode, a colon, its payload. "end" at the end.
  static Task<std::string> read_frame(net::Stream* stream) {
    const auto head = co_await stream->read_exactly(2);
    if (!head) co_return "end";
    std::size_t size = static_cast<unsigned char>((*head)[1]) & 0x7fU;
    if (size >= 126) {
      const std::size_t size_bytes = size == 126 ? 2 : 8;
      const auto more = co_await stream->read_exactly(size_bytes);
      if (!more) co_return "end";
      size = 0;
      for (const char byte : *more) size = size << 8 | static_cast<unsigned char>(byte);
    }
    const bool masked = (static_cast<unsigned char>((*head)[1]) & 0x80U) != 0;
    const auto key = co_await stream->read_exactly(4);
    auto payload = co_await stream->read_exactly(size);
    if (!masked || !key || !payload) co_return "end";
    for (std::size_t i = 0; i < payload->size(); ++i) {
      (*payload)[i] = static_cast<char>((*payload)[i] ^ (*key)[i % 4]);
    }
    const int opcode = (*head)[0] & 0x0f;
    co_return std::to_string(opcode) + ":" + *payload;
  }
  /// Everything until the client's close frame, which is answered, into test->frames.
  static Task<> collect(net::Stream* stream, ClientTest* test) {
    for (;;) {
      std::string frame = co_await read_frame(stream);
      test->frames.push_back(frame);
      if (frame == "end") co_return;
      if (frame.starts_with("8:")) {
        stream->write(server_frame(websocket::Opcode::close, frame.substr(2)));
        co_return;
      }
    }
  }

  /// Reads messages, with commas between them, until the end, and then the close code.
  static Task<std::string> read_all(WebSocket socket) {
    std::string all;
    for (;;) {
      const auto message = co_await socket.read();
      if (!message) break;
      all.append(*message).append(",");
    }
    co_return all + std::to_string(socket.close_code());
  }

  static std::string field(std::string_view head, std::string_view name) {
    const std::string line = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(line);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = head.substr(at + line.size());
    return std::string(rest.substr(0, rest.find("\r\n")));
  }
  [[nodiscard]] std::string url(std::string_view path = "/") const {
    return "ws://127.0.0.1:" + std::to_string(port) + std::string(path);
  }
  template <class T>
  static T run(Task<T> task) {
    return IOLoop::current().run_sync(std::move(task), Duration::from_seconds(20));
  }
  [[nodiscard]] WebSocket connect(const WebSocketOptions& options = {}) const {
    return run(websocket_connect(url(), options));
  }

  Script script = nullptr;
  std::uint16_t port = 0;
  std::vector<std::string> requests;
  std::vector<std::string> frames;
  std::size_t pending = 0;
  std::string answer;
  net::TCPServer server;
};

}  // namespace squall::client
