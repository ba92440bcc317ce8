// SPDX-License-Identifier: Apache-2.0
#include "server/server_testing.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace squall::server {
namespace {

/// Takes a body as the test says: pauses before it or after each piece, answers early or late.
struct Receiver final : MessageDelegate {
  explicit Receiver(ResponseWriter& to) noexcept : writer(&to) {}
  void headers_received(const http::RequestHead&, const http::RequestFraming&) override {
    if (pause_first) writer->pause_body();
    if (answer_first) answer();
  }
  void data_received(std::string_view bytes) override {
    body += bytes;
    ++pieces;
    if (pause_each) writer->pause_body();
  }
  void message_complete(http::Trailers* received) override {
    complete = true;
    if (received != nullptr) trailers = std::move(*received);
    if (!hold_answer) answer();
  }
  void preserve() override {}
  void on_drained() override {}
  void on_connection_close() override {
    closed = true;
    writer = nullptr;
  }
  void answer() { std::exchange(writer, nullptr)->write_head({}, "ok", true); }

  ResponseWriter* writer;
  std::string body;
  http::Trailers trailers;
  int pieces = 0;
  bool pause_first = false, pause_each = false, answer_first = false, hold_answer = false;
  bool complete = false, closed = false;
};

class HTTP1BodyTest : public ServerTest {
 protected:
  ~HTTP1BodyTest() override { end(); }
  MessageDelegate& start_request(ResponseWriter& writer) override {
    receivers.push_back(std::make_unique<Receiver>(writer));
    if (prepare) prepare(*receivers.back());
    return *receivers.back();
  }
  Receiver& last() { return *receivers.back(); }
  static void some_turns() {
    int turns = 0;
    run_until([&] { return ++turns > 4; });
  }

  std::function<void(Receiver&)> prepare;
  std::vector<std::unique_ptr<Receiver>> receivers;
};

constexpr std::string_view get = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(HTTP1BodyTest, APausedBodyWaitsUntilItIsWanted) {
  prepare = [](Receiver& receiver) { receiver.pause_first = true; };
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nfour");
  run_until([&] { return !receivers.empty(); });
  some_turns();
  EXPECT_EQ(last().body, "");
  send("more");
  some_turns();
  EXPECT_EQ(last().body, "");
  last().writer->resume_body();
  run_until_answer_has("\r\n\r\nok");
  EXPECT_EQ(last().body, "fourmore");
}

TEST_F(HTTP1BodyTest, ContinueWaitsUntilTheBodyIsWanted) {  // RFC 9110 §10.1.1
  prepare = [](Receiver& receiver) { receiver.pause_first = true; };
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  run_until([&] { return !receivers.empty(); });
  some_turns();
  receive();
  EXPECT_EQ(answer, "");
  last().writer->resume_body();
  run_until_answer_has("HTTP/1.1 100 Continue\r\n\r\n");
  send("hi");
  run_until_answer_has("\r\n\r\nok");
}

TEST_F(HTTP1BodyTest, TheEndIsToldWhenItGoesOn) {
  prepare = [](Receiver& receiver) { receiver.pause_each = true; };
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nfour" + std::string(get));
  run_until([&] { return !receivers.empty() && last().pieces == 1; });
  some_turns();
  EXPECT_FALSE(last().complete);
  prepare = nullptr;
  last().writer->resume_body();
  run_until([&] { return receivers.size() == 2; });
  EXPECT_TRUE(receivers.front()->complete);
}

TEST_F(HTTP1BodyTest, PausesAnywhereInAChunkedBodyLoseNothing) {
  const std::string bytes =
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;x=y\r\nde\r\n1\r\nf\r\n0\r\nDigest: d\r\n\r\n";
  prepare = [](Receiver& receiver) { receiver.pause_first = receiver.pause_each = true; };
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    SCOPED_TRACE(cut);
    connect();
    answer.clear();
    const std::size_t before = receivers.size();
    send(std::string_view(bytes).substr(0, cut));
    some_turns();
    send(std::string_view(bytes).substr(cut));
    run_until([&] {
      receive();
      if (receivers.size() > before && last().writer != nullptr) last().writer->resume_body();
      return answer.ends_with("\r\n\r\nok");
    });
    EXPECT_EQ(last().body, "abcdef");
    EXPECT_EQ(last().trailers.field("digest"), "d");
  }
}

TEST_F(HTTP1BodyTest, AClientIsNotReadFromWhileItsBodyIsPaused) {
  options.body.max_bytes = 1 << 30;
  prepare = [](Receiver& receiver) { receiver.pause_first = true; };
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000000\r\n\r\n");
  const std::string block(64 * 1024, 'x');
  std::size_t sent = 0;
  int refusals = 0;
  run_until([&] {
    const ssize_t part = ::send(client.get(), block.data(), block.size(), MSG_NOSIGNAL);
    if (part > 0) sent += static_cast<std::size_t>(part);
    refusals = part > 0 ? 0 : refusals + 1;
    return refusals > 20 || sent > 100'000'000;
  });
  EXPECT_LT(sent, 10'000'000U) << "it went into the server's memory";
}

// Each turn takes one chunk, and the client could send several.
TEST_F(HTTP1BodyTest, ASlowTakerOfChunksIsNotSentMoreThanItTakes) {
  options.body.max_bytes = 1 << 30;
  prepare = [](Receiver& receiver) { receiver.pause_each = true; };
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "4000\r\n" + std::string(0x4000, 'x') + "\r\n";
  std::string rest = chunk;
  std::size_t sent = 0;
  std::size_t most_ahead = 0;
  run_until([&] {
    for (int i = 0; i < 32; ++i) {
      const ssize_t part = ::send(client.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (part <= 0) break;
      sent += static_cast<std::size_t>(part);
      rest.erase(0, static_cast<std::size_t>(part));
      if (rest.empty()) rest = chunk;
    }
    if (receivers.empty()) return false;
    last().writer->resume_body();
    most_ahead = std::max(most_ahead, sent - last().body.size());
    return last().body.size() > 8'000'000;
  });
  EXPECT_LT(most_ahead, 4'000'000U) << "the backlog grows";
}

TEST_F(HTTP1BodyTest, AShortRestIsDiscardedAndTheConnectionGoesOn) {
  for (const std::string_view framing :
       {"Content-Length: 8\r\n\r\nfour", "Transfer-Encoding: chunked\r\n\r\n8\r\nfour"}) {
    SCOPED_TRACE(framing);
    prepare = [](Receiver& receiver) { receiver.answer_first = true; };
    receivers.clear();
    connect();
    answer.clear();
    send("POST / HTTP/1.1\r\nHost: x\r\n" + std::string(framing));
    run_until_answer_has("\r\n\r\nok");
    EXPECT_EQ(answer.find("Connection: close"), std::string::npos);
    prepare = nullptr;
    answer.clear();
    const bool is_chunked = framing.starts_with('T');
    send((is_chunked ? "more\r\n0\r\n\r\n" : "more") + std::string(get));
    run_until_answer_has("\r\n\r\nok");
    ASSERT_EQ(receivers.size(), 2U);
    EXPECT_EQ(receivers.front()->body, "");
  }
}

TEST_F(HTTP1BodyTest, ALongRestIsNotWorthReading) {  // RFC 9112 §9.3
  prepare = [](Receiver& receiver) { receiver.answer_first = true; };
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nfour");
  run_until_answer_has("\r\n\r\nok");
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  run_until([&] { return server->connection_count() == 0; });
}

TEST_F(HTTP1BodyTest, AChunkedRestIsDiscardedOnlyUpToALimit) {
  options.body.max_bytes = 1 << 30;
  prepare = [](Receiver& receiver) { receiver.answer_first = true; };
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  run_until_answer_has("\r\n\r\nok");
  const std::string chunk = "1000\r\n" + std::string(4096, 'x') + "\r\n";
  std::size_t sent = 0;
  run_until([&] {
    if (::send(client.get(), chunk.data(), chunk.size(), MSG_NOSIGNAL) > 0) sent += chunk.size();
    return server->connection_count() == 0 || sent > 100'000'000;
  });
  EXPECT_LT(sent, 10'000'000U);
}

TEST_F(HTTP1BodyTest, AnAnswerInPlaceOfContinueEndsTheConnection) {  // RFC 9110 §10.1.1
  prepare = [](Receiver& receiver) { receiver.answer_first = true; };
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  run_until_answer_has("\r\n\r\nok");
  EXPECT_EQ(answer.find("100 Continue"), std::string::npos);
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST_F(HTTP1BodyTest, AnAnswerMayBeginBeforeTheBodyHasEnded) {
  prepare = [](Receiver& receiver) { receiver.hold_answer = true; };
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nfour");
  run_until([&] { return !receivers.empty() && last().pieces == 1; });
  last().writer->write_head({}, "one ", false);
  run_until_answer_has("one ");
  send("more");
  run_until([&] { return last().complete; });
  EXPECT_EQ(last().body, "fourmore");
  last().writer->write_body("two");
  last().writer->finish();
  last().writer = nullptr;
  run_until_answer_has("0\r\n\r\n");
  prepare = nullptr;
  answer.clear();
  send(get);
  run_until_answer_has("\r\n\r\nok");
}

TEST_F(HTTP1BodyTest, LimitsOfOneRequestReplaceTheServers) {
  options.body.max_bytes = 10;
  prepare = [](Receiver& receiver) {
    BodyLimits limits;
    limits.max_bytes = 4;
    receiver.pause_first = true;
    receiver.writer->pause_body();
    receiver.writer->set_body_limits(limits);
  };
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
  const std::pair<std::string, std::string> cases[] = {
      {"Content-Length: 4\r\n\r\nfour", "HTTP/1.1 200 OK"},
      {"Content-Length: 5\r\n\r\nfives", "HTTP/1.1 413 Content Too Large"},
      {"Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n", "HTTP/1.1 200 OK"},
      {"Transfer-Encoding: chunked\r\n\r\n5\r\nfives\r\n0\r\n\r\n",
       "HTTP/1.1 413 Content Too Large"},
  };
  for (const auto& [rest, wanted] : cases) {
    SCOPED_TRACE(rest);
    connect();
    answer.clear();
    const std::size_t before = receivers.size();
    send(head + rest);
    run_until([&] { return receivers.size() > before; });
    last().writer->resume_body();
    run_until_answer_has("\r\n\r\n");
    EXPECT_EQ(status(), wanted);
  }
}

TEST_F(HTTP1BodyTest, ABodyThatTricklesBelowTheRateGets408) {
  options.body.min_rate = 1000;
  options.body.rate_grace = Duration::from_milliseconds(30);
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  run_until([&] {
    static_cast<void>(::send(client.get(), "x", 1, MSG_NOSIGNAL));  // 30 s of timeout would renew
    ::usleep(5'000);
    receive();
    return !answer.empty();
  });
  EXPECT_EQ(status(), "HTTP/1.1 408 Request Timeout");
}

TEST_F(HTTP1BodyTest, TimeInWhichItIsPausedIsNotTheClients) {
  options.body.min_rate = 1'000'000;
  options.body.rate_grace = Duration::from_milliseconds(20);
  options.body.timeout = Duration::from_milliseconds(20);
  prepare = [](Receiver& receiver) { receiver.pause_first = true; };
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  run_until([&] { return !receivers.empty(); });
  const auto begin = std::chrono::steady_clock::now();
  run_until(
      [&] { return std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(80); });
  send("4\r\nfour\r\n0\r\n\r\n");
  last().writer->resume_body();
  run_until_answer_has("\r\n\r\nok");
}

TEST_F(HTTP1BodyTest, TrailersAreHandedOverButThoseThatMayNotBeOnes) {  // RFC 9110 §6.5.1
  connect();
  send(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
      "Content-Length: 7\r\nX-Sum: 1 \r\nAuthorization: no\r\n\r\n");
  run_until_answer_has("\r\n\r\nok");
  EXPECT_EQ(last().trailers.field("x-sum"), "1");
  EXPECT_EQ(last().trailers.field("content-length"), "");
  EXPECT_EQ(last().trailers.field("authorization"), "");
}

TEST_F(HTTP1BodyTest, TrailersFollowAChunkedBody) {  // RFC 9112 §7.1.2
  prepare = [](Receiver& receiver) { receiver.hold_answer = true; };
  connect();
  send(get);
  run_until([&] { return !receivers.empty() && last().complete; });
  const ResponseField hint[] = {{"Link", "</a.css>; rel=preload"}};
  const ResponseField sum[] = {{"X-Sum", "3"}};
  last().writer->write_informational(103, hint);
  last().writer->write_head({}, "abc", false);
  last().writer->finish(sum);
  last().writer = nullptr;
  run_until_answer_has("X-Sum");
  EXPECT_TRUE(answer.starts_with(
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n"))
      << answer;
  EXPECT_TRUE(answer.ends_with("\r\n3\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n")) << answer;
}

TEST_F(HTTP1BodyTest, AConnectionServesOnlySoManyRequests) {
  options.max_requests = 2;
  connect();
  send(get);
  run_until_answer_has("\r\n\r\nok");
  EXPECT_EQ(answer.find("Connection: close"), std::string::npos);
  answer.clear();
  send(std::string(get) + std::string(get));
  run_until_closed();
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_EQ(receivers.size(), 2U);
}

}  // namespace
}  // namespace squall::server
