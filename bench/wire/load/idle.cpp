// SPDX-License-Identifier: Apache-2.0
#include "load/frame_answers.hpp"
#include "load/http_answers.hpp"
#include "load/requests.hpp"
#include "load/sockets.hpp"
#include "load/workloads.hpp"

#include <cstdio>
#include <vector>

namespace wire_load {
namespace {

constexpr std::size_t default_connections = 10000;
constexpr std::uint32_t mask = 0x77aa11ee;

class Opener {
 public:
  Opener(const Options& options, bool is_websocket)
      : options_(options), is_websocket_(is_websocket), buffer_(receive_bytes) {}

  /// A connection that has had one answer.
  Connection open() {
    if (is_websocket_) {
      FrameAnswers answers(frames_);
      Connection connection = open_websocket(options_.port, "/ws");
      ask(connection, client_frame(frames_.opcode, frames_.payloads.front(), mask), answers);
      return connection;
    }
    HttpAnswers answers(http_);
    Connection connection(options_.port);
    ask(connection, get_request("/plaintext"), answers);
    return connection;
  }

 private:
  void ask(const Connection& connection, const std::string& request, Answers& answers) {
    connection.send_all(request);
    for (;;) {
      const auto got = connection.receive_some(buffer_.data(), buffer_.size());
      if (got == 0) throw Failure("connection closed by the server");
      if (answers.feed(buffer_.data(), got) == 1) return;
    }
  }

  const Options& options_;
  bool is_websocket_;
  std::vector<char> buffer_;
  FrameExpectation frames_{Opcode::text, {text_message(0, 64)}};
  HttpExpectation http_{"text/plain", std::string(hello)};
};

}  // namespace

void run_idle(const Options& options) {
  Opener opener(options, options.workload == "idle_ws");
  const auto count = options.connections != 0 ? options.connections : default_connections;
  {
    // What a server allocates once, for its first requests, belongs to the base.
    std::vector<Connection> first;
    for (int i = 0; i < 8; ++i) first.push_back(opener.open());
  }
  announce_phase(options, "before");
  const auto cpu_before = cpu_ns(options.server_pids);
  const auto started_ns = now_ns();
  std::vector<Connection> held;
  held.reserve(count);
  for (std::size_t i = 0; i < count; ++i) held.push_back(opener.open());
  const auto opened_ns = now_ns();
  const auto cpu_after = cpu_ns(options.server_pids);
  announce_phase(options, "open");
  std::printf(
      "{\"workload\": \"%s\", \"operations\": %zu, \"errors\": 0, \"error\": \"\", "
      "\"seconds\": %.6f, \"cpu_ns\": %llu, \"p50_us\": 0, \"p99_us\": 0}\n",
      options.workload.c_str(), count, static_cast<double>(opened_ns - started_ns) / 1e9,
      static_cast<unsigned long long>(cpu_after - cpu_before));
}

}  // namespace wire_load
