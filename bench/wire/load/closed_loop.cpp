// SPDX-License-Identifier: Apache-2.0
#include "load/frame_answers.hpp"
#include "load/http_answers.hpp"
#include "load/requests.hpp"
#include "load/sockets.hpp"
#include "load/workloads.hpp"

#include <array>
#include <memory>
#include <vector>

namespace wire_load {
namespace {

constexpr std::size_t default_connections = 64;
constexpr std::size_t pipeline_depth = 16;
constexpr std::size_t echo_bytes = 16 * 1024;
constexpr std::size_t static_bytes = 100 * 1024;
constexpr std::uint32_t mask = 0xa5137fe2;

/// What one connection writes at once, and what must come back for it.
struct Exchange {
  std::string request;
  std::size_t depth = 1;
  bool is_websocket = false;
  HttpExpectation http = {};
  FrameExpectation frames = {};
};

std::string repeat(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

Exchange http_exchange(std::string request, std::size_t depth, std::string type, std::string body) {
  Exchange exchange;
  exchange.request = repeat(request, depth);
  exchange.depth = depth;
  exchange.http.is_json = type == "application/json";
  exchange.http.type = std::move(type);
  exchange.http.body = std::move(body);
  return exchange;
}

Exchange websocket_exchange(Opcode opcode, std::vector<std::string> payloads) {
  Exchange exchange;
  exchange.is_websocket = true;
  exchange.depth = payloads.size();
  for (const auto& payload : payloads) exchange.request += client_frame(opcode, payload, mask);
  exchange.frames.opcode = opcode;
  exchange.frames.payloads = std::move(payloads);
  return exchange;
}

std::vector<std::string> messages(std::size_t count, std::size_t size) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(text_message(i, size));
  return all;
}

std::string echo_request() {
  return "POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\n"
         "Content-Length: " +
         std::to_string(echo_bytes) + "\r\n\r\n" + pattern(echo_bytes);
}

struct Entry {
  std::string_view name;
  Exchange (*make)();
};

constexpr std::array entries = {
    Entry{"plaintext",
          [] {
            return http_exchange(get_request("/plaintext"), 1, "text/plain", std::string(hello));
          }},
    Entry{"pipeline16",
          [] {
            return http_exchange(get_request("/plaintext"), pipeline_depth, "text/plain",
                                 std::string(hello));
          }},
    Entry{"json",
          [] {
            return http_exchange(get_request("/json"), 1, "application/json",
                                 R"({"message":"Hello, World!"})");
          }},
    Entry{"echo16k",
          [] {
            return http_exchange(echo_request(), 1, "application/octet-stream",
                                 pattern(echo_bytes));
          }},
    Entry{"static100k",
          [] {
            return http_exchange(get_request("/static/100k.bin"), 1, "application/octet-stream",
                                 pattern(static_bytes));
          }},
    Entry{"ws64", [] { return websocket_exchange(Opcode::text, messages(1, 64)); }},
    Entry{"ws16k", [] { return websocket_exchange(Opcode::binary, {pattern(echo_bytes)}); }},
    Entry{"ws64x16", [] { return websocket_exchange(Opcode::text, messages(pipeline_depth, 64)); }},
};

struct Client {
  Connection connection;
  std::unique_ptr<Answers> answers;
  std::size_t outstanding = 0;
  std::uint64_t asked_ns = 0;
};

class ClosedLoop {
 public:
  ClosedLoop(const Options& options, Window& window, Exchange exchange)
      : window_(window), exchange_(std::move(exchange)), buffer_(receive_bytes) {
    const auto count = options.connections != 0 ? options.connections : default_connections;
    for (std::size_t i = 0; i < count; ++i) connect(options.port);
  }

  void run() {
    for (auto& client : clients_) ask(client);
    while (!window_.is_over()) {
      poller_.wait([this](std::size_t i) {
        if (read(clients_[i])) ask(clients_[i]);
      });
    }
    // Answers still under way are checked too, and no server sees a connection torn down.
    while (asking_ != 0) {
      poller_.wait([this](std::size_t i) { read(clients_[i]); });
    }
  }

 private:
  void connect(std::uint16_t port) {
    Client client;
    if (exchange_.is_websocket) {
      client.connection = open_websocket(port, "/ws");
      client.answers = std::make_unique<FrameAnswers>(exchange_.frames);
    } else {
      client.connection = Connection(port);
      client.answers = std::make_unique<HttpAnswers>(exchange_.http);
    }
    poller_.add(client.connection, clients_.size());
    clients_.push_back(std::move(client));
  }

  void ask(Client& client) {
    client.outstanding = exchange_.depth;
    client.asked_ns = now_ns();
    ++asking_;
    client.connection.send_all(exchange_.request);
  }

  /// True when the client has all its answers.
  bool read(Client& client) {
    const auto got = client.connection.receive(buffer_.data(), buffer_.size());
    if (got == Connection::would_block) return false;
    if (got == 0) throw Failure("connection closed by the server");
    const auto complete = client.answers->feed(buffer_.data(), got);
    if (complete == 0) return false;
    if (complete > client.outstanding) throw Failure("more answers than requests");
    window_.completed(complete, client.asked_ns, now_ns());
    client.outstanding -= complete;
    if (client.outstanding != 0) return false;
    if (!client.answers->between()) throw Failure("bytes after the last answer");
    --asking_;
    return true;
  }

  Window& window_;
  Exchange exchange_;
  std::vector<char> buffer_;
  Poller poller_;
  std::vector<Client> clients_;
  std::size_t asking_ = 0;
};

const Entry* find_entry(const std::string& name) {
  for (const auto& entry : entries) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace

bool is_closed_loop(const std::string& name) { return find_entry(name) != nullptr; }

void run_closed_loop(const Options& options, Window& window) {
  ClosedLoop loop(options, window, find_entry(options.workload)->make());
  loop.run();
}

}  // namespace wire_load
