// SPDX-License-Identifier: Apache-2.0
#include "load/event_answers.hpp"
#include "load/requests.hpp"
#include "load/sockets.hpp"
#include "load/workloads.hpp"

#include <ctime>
#include <vector>

namespace wire_load {
namespace {

constexpr std::size_t default_streams = 1000;
constexpr std::size_t message_bytes = 64;

struct Stream {
  Connection connection;
  EventAnswers answers;
  bool has_event = false;
};

/// The connection that publishes: POST /feed/publish, and 204 for an answer.
class Publisher {
 public:
  explicit Publisher(std::uint16_t port) : connection_(port) {}

  const Connection& connection() const { return connection_; }

  void publish(std::string_view data) {
    request_ =
        "POST /feed/publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"
        "Content-Length: " +
        std::to_string(data.size()) + "\r\n\r\n";
    connection_.send_all(request_.append(data));
  }

  /// True when the answer is whole.
  bool feed(std::string_view data) {
    answer_.append(data);
    const auto end = answer_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    if (!answer_.starts_with("HTTP/1.1 204 ")) throw Failure("publishing: " + answer_);
    if (end + 4 != answer_.size()) throw Failure("bytes after a 204");
    answer_.clear();
    return true;
  }

 private:
  Connection connection_;
  std::string request_;
  std::string answer_;
};

void open(Stream& stream, std::vector<char>& buffer) {
  stream.connection.send_all(get_request("/feed", "Accept: text/event-stream"));
  while (!stream.answers.is_open()) {
    const auto got = stream.connection.receive_some(buffer.data(), buffer.size());
    if (got == 0) throw Failure("closed before the stream began");
    if (stream.answers.feed(buffer.data(), got) != 0) throw Failure("an event from before");
  }
}

}  // namespace

void run_feed(const Options& options, Window& window) {
  const auto count = options.connections != 0 ? options.connections : default_streams;
  EventExpectation expected;
  expected.data.resize(1);
  Poller poller;
  std::vector<char> buffer(receive_bytes);
  std::vector<Stream> streams;
  for (std::size_t i = 0; i < count; ++i) {
    streams.push_back({Connection(options.port), EventAnswers(expected)});
    open(streams.back(), buffer);
    poller.add(streams.back().connection, i);
  }
  Publisher publisher(options.port);
  poller.add(publisher.connection(), count);
  // A server may enter a stream only after its head has gone out.
  const timespec settle{0, 50'000'000};
  ::nanosleep(&settle, nullptr);

  std::size_t number = 0;
  // The window opens and closes between events only, so that it holds whole deliveries.
  while (!window.is_over()) {
    expected.data.front() = text_message(number++, message_bytes);
    for (auto& stream : streams) stream.has_event = false;
    std::size_t left = streams.size();
    bool is_answered = false;
    const auto asked_ns = now_ns();
    publisher.publish(expected.data.front());
    while (left != 0 || !is_answered) {
      poller.wait([&](std::size_t i) {
        const Connection& connection = i == count ? publisher.connection() : streams[i].connection;
        const auto got = connection.receive(buffer.data(), buffer.size());
        if (got == Connection::would_block) return;
        if (got == 0) throw Failure("connection closed by the server");
        if (i == count) {
          is_answered = publisher.feed({buffer.data(), got});
          return;
        }
        Stream& stream = streams[i];
        const auto complete = stream.answers.feed(buffer.data(), got);
        if (complete == 0) return;
        if (complete > 1 || stream.has_event) throw Failure("an event came twice");
        stream.has_event = true;
        --left;
        window.completed(1, asked_ns, now_ns());
      });
    }
  }
}

}  // namespace wire_load
