// SPDX-License-Identifier: Apache-2.0
// A WebSocket client for the wire tests: it connects, sends every message back that it gets, and
// tells in one line of JSON how it ended. The servers, which we did not write, do the testing.
#include <squall/client/websocket.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/json.hpp>
#include <squall/loop/ioloop.hpp>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>

using namespace squall;

namespace {

/// --name=value, and the URL.
class Arguments {
 public:
  Arguments(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view word = argv[i];
      if (!word.starts_with("--")) {
        url = word;
        continue;
      }
      const std::size_t equals = word.find('=');
      values_[std::string(word.substr(2, equals - 2))] =
          equals == std::string_view::npos ? "1" : word.substr(equals + 1);
    }
  }
  [[nodiscard]] const std::string& text(const std::string& name) { return values_[name]; }
  [[nodiscard]] int number(const std::string& name, int otherwise = 0) {
    const std::string& value = values_[name];
    return value.empty() ? otherwise : std::atoi(value.c_str());
  }

  std::string url;

 private:
  std::map<std::string, std::string> values_;
};

void report(const json::object& result) {
  const std::string text = json::serialize(result);
  std::printf("%s\n", text.c_str());
}

/// What became of it so far.
class Tally {
 public:
  Tally() = default;
  int messages = 0;
  std::size_t bytes = 0;
};

json::object result_of(const client::WebSocket& socket, const Tally& tally) {
  return {{"messages", tally.messages},
          {"bytes", tally.bytes},
          {"code", socket.close_code()},
          {"reason", socket.close_reason()},
          {"subprotocol", socket.subprotocol()},
          {"compressed", socket.is_compressed()},
          {"url", socket.url()}};
}

/// The coroutine style.
Task<Tally> echo(client::WebSocket* socket, Arguments* arguments) {
  Tally tally;
  const int most = arguments->number("close-after", -1);
  const Duration pause = Duration::from_milliseconds(arguments->number("pause-ms"));
  for (;;) {
    const auto message = co_await socket->read();
    if (!message) break;
    ++tally.messages;
    tally.bytes += message->size();
    if (arguments->text("silent").empty()) socket->write_message(*message);
    if (tally.messages == most) socket->close(4000, "enough");
    if (pause > Duration()) co_await sleep(pause);
  }
  co_return tally;
}

/// Messages go back as they come, in pieces, and are never held whole.
Task<Tally> echo_in_pieces(client::WebSocket* socket) {
  Tally tally;
  for (;;) {
    const auto piece = co_await socket->read_piece();
    if (!piece) break;
    tally.messages += piece->is_last() ? 1 : 0;
    tally.bytes += piece->size();
    const SendResult sent = socket->write_piece(*piece, piece->is_last(), piece->is_binary());
    if (sent != SendResult::sent) continue;
    try {
      co_await socket->drained();
    } catch (const client::WebSocketClosedError&) {
      // What came before the end is still to be read.
    }
  }
  co_return tally;
}

/// The callback style.
Task<Tally> echo_in_callbacks(client::WebSocket* socket, Arguments* arguments) {
  Tally tally;
  const int most = arguments->number("close-after", -1);
  socket->on_message([&tally, socket, most](std::string_view message, bool binary) {
    ++tally.messages;
    tally.bytes += message.size();
    socket->write_message(message, binary);
    if (tally.messages == most) socket->close(4000, "enough");
  });
  co_await socket->closed();
  co_return tally;
}

Task<> run(Arguments* arguments) {
  client::WebSocketOptions options;
  options.subprotocols = arguments->text("subprotocols");
  options.origin = arguments->text("origin");
  const std::string& compression = arguments->text("compression");
  options.compression.enabled = !compression.empty();
  options.compression.client_context_takeover = compression == "takeover";
  options.compression.server_context_takeover = compression == "takeover";
  options.compression.min_bytes = 16;
  options.ping_interval = Duration::from_milliseconds(arguments->number("ping-ms"));
  options.connect_timeout = Duration::from_milliseconds(arguments->number("timeout-ms", 15'000));
  options.close_timeout = Duration::from_milliseconds(arguments->number("close-ms", 5000));
  options.max_message_bytes = static_cast<std::size_t>(arguments->number("max-message", 16 << 20));
  options.max_queue_bytes = 64 << 20;
  options.proxy = arguments->text("proxy");
  options.proxy_from_environment = !arguments->text("environment").empty();
  options.ca_file = arguments->text("ca");
  options.certificate_file = arguments->text("certificate");
  options.key_file = arguments->text("key");
  options.verify_certificate = arguments->text("insecure").empty();
  options.username = arguments->text("username");
  options.password = arguments->text("password");
  const client::HeaderField headers[] = {{"X-Test", arguments->text("header")}};
  options.headers = headers;
  Task<client::WebSocket> opening = client::websocket_connect(arguments->url, options);
  try {
    client::WebSocket socket = co_await opening;
    Task<Tally> echoing = !arguments->text("callbacks").empty()
                              ? echo_in_callbacks(&socket, arguments)
                          : !arguments->text("pieces").empty() ? echo_in_pieces(&socket)
                                                               : echo(&socket, arguments);
    const Tally tally = co_await echoing;
    report(result_of(socket, tally));
  } catch (const client::WebSocketConnectError& error) {
    report({{"error", error.what()},
            {"category", error.code().category().name()},
            {"status", error.status()},
            {"body", error.body()}});
  }
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv);
  IOLoop::current().run_sync(run(&arguments));
  return 0;
}
