// SPDX-License-Identifier: Apache-2.0
#include "wire_server.hpp"

#include <squall/web.hpp>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace wire {
namespace {

using namespace squall;
using namespace std::chrono_literals;

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Echoes, compressed as the query says: ?window=10&takeover=1&least=0. "shared ..." comes back as
/// a message that is shared, twice.
struct DeflateSocket : web::WebSocketHandler {
  websocket::CompressionOptions get_compression_options() override {
    websocket::CompressionOptions options;
    options.enabled = true;
    options.min_bytes = static_cast<std::size_t>(number(get_argument("least", "0")));
    const auto window = static_cast<std::uint8_t>(number(get_argument("window", "15")));
    options.server_max_window_bits = options.client_max_window_bits = window;
    options.server_context_takeover = options.client_context_takeover =
        get_argument("takeover", "0") == "1";
    return options;
  }
  void on_message(std::string_view message, bool binary) {
    if (message.starts_with("shared ")) {
      const web::SharedMessage shared(message, binary);
      write_message(shared);
      write_message(shared);
    } else {
      write_message(message, binary);
    }
  }
};

struct ReadingSocket : web::WebSocketHandler {
  Task<> open() {
    for (;;) {
      auto message = co_await read();
      if (!message) break;
      if (*message == "enough") co_return;
      if (*message == "slow") co_await sleep(20ms);
      write_message(*message);
    }
    count("read.ended");
  }
  void on_close() { count("read.closed"); }
};

/// Sends back what comes as it comes.
struct PiecesSocket : web::WebSocketHandler {
  Task<> open() {
    set_max_message_size(1024 * 1024 * 1024);
    for (;;) {
      auto piece = co_await read_piece();
      if (!piece) break;
      count("pieces");
      write_piece(*piece, piece->is_last(), piece->is_binary());
      co_await drained();
    }
  }
};

/// "1000 key" makes it write so many messages of 16 KiB, numbered, as fast as it can, and then say
/// what became of them.
struct FloodedSocket : web::WebSocketHandler {
  void open() {
    const std::string policy = get_argument("policy");
    set_slow_consumer(policy == "drop_oldest"   ? SlowConsumer::drop_oldest
                      : policy == "drop_newest" ? SlowConsumer::drop_newest
                      : policy == "conflate"    ? SlowConsumer::conflate
                                                : SlowConsumer::disconnect,
                      256 * 1024);
  }
  Task<> on_message(std::string message) {
    const int messages = number(message);
    for (int at = 0; at < messages && is_open(); ++at) {
      std::string text = std::to_string(at) + " ";
      text.resize(16 * 1024, '.');
      const std::string key = "key " + std::to_string(at % 3);
      const SendResult result = write_message(text, {.key = key});
      count("flooded." + std::to_string(static_cast<int>(result)));
      if (at % 16 == 0) co_await sleep(1ms);
    }
    co_await drained();
    write_message("done");
  }
  void on_close() { count("flooded.closed." + std::to_string(close_code())); }
};

}  // namespace

void add_socket_feature_routes(web::Application& app) {
  app.add_route({"/ws/deflate", web::handler<DeflateSocket>});
  app.add_route({"/ws/read", web::handler<ReadingSocket>});
  app.add_route({"/ws/pieces", web::handler<PiecesSocket>});
  app.add_route({"/ws/flooded", web::handler<FloodedSocket>});
}

}  // namespace wire
