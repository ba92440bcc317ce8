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
constexpr std::size_t message_bytes = 64;
constexpr std::size_t compressed_bytes = 2048;  // more than any server leaves uncompressed
constexpr std::uint32_t mask = 0x77aa11ee;

class Opener {
 public:
  explicit Opener(const Options& options)
      : options_(options),
        is_websocket_(options.workload != "idle_http"),
        is_compressed_(options.workload == "idle_wsz"),
        buffer_(receive_bytes) {
    frames_.is_compressed = is_compressed_;
    frames_.payloads = {text_message(0, is_compressed_ ? compressed_bytes : message_bytes)};
    const std::string& message = frames_.payloads.front();
    frame_ = is_compressed_ ? compressed_client_frame(frames_.opcode, message, mask)
                            : client_frame(frames_.opcode, message, mask);
  }

  /// A connection that has had one answer.
  Connection open() {
    if (is_websocket_) {
      FrameAnswers answers(frames_);
      Connection connection =
          open_websocket(options_.port, is_compressed_ ? "/ws/deflate" : "/ws", is_compressed_);
      ask(connection, frame_, answers);
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
  bool is_compressed_;
  std::vector<char> buffer_;
  FrameExpectation frames_;
  std::string frame_;
  HttpExpectation http_{"text/plain", std::string(hello)};
};

}  // namespace

void run_idle(const Options& options) {
  Opener opener(options);
  const auto count = options.connections != 0 ? options.connections : default_connections;
  // What a server allocates once, for its first requests, belongs to the base; so does a stock of
  // receive buffers that it goes through in turn. Few are open at a time, as the memory of those
  // that were closed serves those that are counted.
  for (int round = 0; round < 16; ++round) {
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
