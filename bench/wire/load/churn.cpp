// SPDX-License-Identifier: Apache-2.0
#include "load/http_answers.hpp"
#include "load/requests.hpp"
#include "load/sockets.hpp"
#include "load/workloads.hpp"

#include <optional>
#include <vector>

namespace wire_load {
namespace {

constexpr std::size_t default_connections = 64;

struct Client {
  Connection connection;
  std::optional<HttpAnswers> answers;
  std::size_t complete = 0;
  std::uint64_t asked_ns = 0;
};

}  // namespace

void run_churn(const Options& options, Window& window) {
  HttpExpectation expected{"text/plain", std::string(hello)};
  const std::string request = get_request("/plaintext", "Connection: close");
  Poller poller;
  std::vector<char> buffer(receive_bytes);
  std::vector<Client> clients(options.connections != 0 ? options.connections : default_connections);
  std::size_t asking = 0;

  const auto ask = [&](std::size_t i) {
    Client& client = clients[i];
    client.asked_ns = now_ns();
    client.answers.emplace(expected);
    client.complete = 0;
    client.connection = Connection(options.port);
    client.connection.send_all(request);
    poller.add(client.connection, i);
    ++asking;
  };
  // True when the connection has had its answer and its end.
  const auto read = [&](std::size_t i) {
    Client& client = clients[i];
    const auto got = client.connection.receive(buffer.data(), buffer.size());
    if (got == Connection::would_block) return false;
    if (got != 0) {
      client.complete += client.answers->feed(buffer.data(), got);
      return false;
    }
    if (client.complete != 1 || !client.answers->between()) throw Failure("not one answer");
    window.completed(1, client.asked_ns, now_ns());
    client.connection = Connection();
    --asking;
    return true;
  };

  for (std::size_t i = 0; i < clients.size(); ++i) ask(i);
  while (!window.is_over()) {
    poller.wait([&](std::size_t i) {
      if (read(i)) ask(i);
    });
  }
  while (asking != 0) poller.wait(read);
}

}  // namespace wire_load
