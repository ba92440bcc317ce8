// SPDX-License-Identifier: Apache-2.0
#include "server/http1_connection.hpp"

#include "server/server_testing.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace squall::server {
namespace {

/// Records what it is told; answers when the test says so, or at once.
struct Recorder final : MessageDelegate {
  void headers_received(const http::RequestHead& head, const http::RequestFraming&) override {
    events += "head " + std::string(head.target()) + ";";
    received = &head;
  }
  void data_received(std::string_view bytes) override {
    body += bytes;
    events += "data;";
  }
  void message_complete(http::Trailers*) override {
    events += "complete;";
    if (answer_at_once) answer();
  }
  void preserve() override { events += "preserve;"; }
  void on_drained() override { events += "drained;"; }
  void on_connection_close() override {
    events += "close;";
    writer = nullptr;
  }
  void answer(std::string_view text = "ok") {
    std::exchange(writer, nullptr)->write_head({}, text, true);
  }

  ResponseWriter* writer = nullptr;
  const http::RequestHead* received = nullptr;
  std::string events;
  std::string body;
  bool answer_at_once = true;
};

class HTTP1ConnectionTest : public ServerTest {
 protected:
  ~HTTP1ConnectionTest() override { end(); }
  MessageDelegate& start_request(ResponseWriter& writer) override {
    recorders.push_back(std::make_unique<Recorder>());
    recorders.back()->writer = &writer;
    recorders.back()->answer_at_once = answer_at_once;
    return *recorders.back();
  }
  Recorder& last() { return *recorders.back(); }

  std::vector<std::unique_ptr<Recorder>> recorders;
  bool answer_at_once = true;
};

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(HTTP1ConnectionTest, AnswersAndKeepsTheConnection) {
  connect();
  send(get);
  run_until_answer_has("\r\n\r\nok");
  EXPECT_EQ(status(), "HTTP/1.1 200 OK");
  EXPECT_EQ(last().events, "head /a;complete;") << "a request answered at once is not copied";
  answer.clear();
  send(get);
  run_until_answer_has("\r\n\r\nok");
  EXPECT_EQ(server->connection_count(), 1U);
}

TEST_F(HTTP1ConnectionTest, ARequestThatIsNotAnsweredAtOnceIsPreserved) {
  answer_at_once = false;
  connect();
  send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
  run_until([&] { return !recorders.empty(); });
  EXPECT_EQ(last().events, "head /b;data;complete;preserve;");
  EXPECT_EQ(last().body, "body");
  last().answer();
  run_until_answer_has("ok");
}

TEST_F(HTTP1ConnectionTest, AnySplitOfARequestGivesTheSame) {
  const std::string bytes =
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n"
      "T: t\r\n\r\n";
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    SCOPED_TRACE(cut);
    connect();
    answer.clear();
    const std::size_t before = recorders.size();
    send(std::string_view(bytes).substr(0, cut));
    int turns = 0;
    run_until([&] { return ++turns > 1; });
    send(std::string_view(bytes).substr(cut));
    run_until_answer_has("\r\n\r\nok");
    ASSERT_EQ(recorders.size(), before + 1);
    EXPECT_EQ(last().body, "abcde");
  }
}

// A request must never be made of another connection's bytes, wherever the heads are cut.
TEST_F(HTTP1ConnectionTest, HeadsThatArriveInPiecesSideBySideDoNotMix) {
  const std::string one = "GET /first HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
  const std::string other = "POST /the/other HTTP/1.1\r\nHost: yyy.example\r\nA: b\r\n\r\n";
  const auto turns = [] {
    int count = 0;
    run_until([&] { return ++count > 1; });
  };
  for (std::size_t cut = 1; cut < one.size(); ++cut) {
    SCOPED_TRACE(cut);
    connect();
    const std::size_t before = recorders.size();
    send(std::string_view(one).substr(0, cut));
    turns();
    UniqueFd first = std::move(client);
    connect();
    send(std::string_view(other).substr(0, std::min(cut, other.size() - 1)));
    turns();
    std::swap(first, client);
    answer.clear();
    send(std::string_view(one).substr(cut));
    run_until_answer_has("\r\n\r\nok");
    EXPECT_EQ(status(), "HTTP/1.1 200 OK");
    std::swap(first, client);
    answer.clear();
    send(std::string_view(other).substr(std::min(cut, other.size() - 1)));
    run_until_answer_has("\r\n\r\nok");
    EXPECT_EQ(status(), "HTTP/1.1 200 OK");
    ASSERT_EQ(recorders.size(), before + 2);
    EXPECT_EQ(recorders[before]->events.rfind("head /first;", 0), 0U) << recorders[before]->events;
    EXPECT_EQ(recorders[before]->body, "abc");
    EXPECT_EQ(last().events.rfind("head /the/other;", 0), 0U) << last().events;
  }
}

TEST_F(HTTP1ConnectionTest, PipelinedRequestsWaitForTheirTurn) {
  answer_at_once = false;
  connect();
  send(std::string(get) + "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  run_until([&] { return recorders.size() == 1; });
  int turns = 0;
  run_until([&] { return ++turns > 3; });
  EXPECT_EQ(recorders.size(), 1U) << "the second began before the first was answered";
  last().answer("first");
  run_until([&] { return recorders.size() == 2; });
  EXPECT_EQ(last().events.substr(0, 8), "head /b;");
  last().answer("second");
  run_until_answer_has("second");
  EXPECT_LT(answer.find("first"), answer.find("second"));
}

TEST_F(HTTP1ConnectionTest, ContinueIsSentOnlyToThoseWhoWait) {  // RFC 9110 §10.1.1
  connect();
  const std::string head =
      "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  send(head);
  run_until_answer_has("HTTP/1.1 100 Continue\r\n\r\n");
  send("hi");
  run_until_answer_has("\r\n\r\nok");
  answer.clear();
  send(head + "hi");
  run_until_answer_has("\r\n\r\nok");
  EXPECT_EQ(answer.find("100 Continue"), std::string::npos);
}

TEST_F(HTTP1ConnectionTest, WhatIsNoRequestGetsItsStatusAndTheEnd) {
  options.body.max_bytes = 10;
  const std::pair<std::string, std::string> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 501 Not Implemented"},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", "HTTP/1.1 505 HTTP Version Not Supported"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n",
       "HTTP/1.1 413 Content Too Large"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n",
       "HTTP/1.1 413 Content Too Large"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       "HTTP/1.1 400 Bad Request"},
      {"POST / HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n", "HTTP/1.1 417 Expectation Failed"},
  };
  for (const auto& [bytes, wanted] : cases) {
    SCOPED_TRACE(bytes);
    connect();
    answer.clear();
    send(bytes);
    run_until_closed();
    EXPECT_EQ(status(), wanted);
    EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos);
  }
}

TEST_F(HTTP1ConnectionTest, LimitsOfABodyHoldHoweverItsHeadIsCut) {
  options.body.max_bytes = 10;
  const std::string bytes = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n";
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    SCOPED_TRACE(cut);
    connect();
    answer.clear();
    send(std::string_view(bytes).substr(0, cut));
    int turns = 0;
    run_until([&] { return ++turns > 1; });
    send(std::string_view(bytes).substr(cut));
    run_until_closed();
    EXPECT_EQ(status(), "HTTP/1.1 413 Content Too Large");
  }
}

TEST_F(HTTP1ConnectionTest, ASlowHeadGets408AndAnIdleConnectionNothing) {
  options.head_timeout = Duration::from_milliseconds(20);
  options.idle_timeout = Duration::from_milliseconds(20);
  connect();
  send("GET / HT");
  run_until_closed();
  EXPECT_EQ(status(), "HTTP/1.1 408 Request Timeout");
  connect();
  answer.clear();
  send(get);
  run_until_closed();
  EXPECT_TRUE(answer.ends_with("\r\n\r\nok")) << answer;
}

TEST_F(HTTP1ConnectionTest, ASlowBodyGets408AndItsReceiverHearsOfTheEnd) {
  options.body.timeout = Duration::from_milliseconds(20);
  connect();
  send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  run_until_closed();
  EXPECT_EQ(status(), "HTTP/1.1 408 Request Timeout");
  EXPECT_EQ(last().events, "head /;data;preserve;close;");
}

TEST_F(HTTP1ConnectionTest, AClientThatLeavesIsReportedOnce) {
  answer_at_once = false;
  connect();
  send(get);
  run_until([&] { return !recorders.empty(); });
  client.reset();
  run_until([&] { return server->connection_count() == 0; });
  EXPECT_EQ(last().events, "head /a;complete;preserve;close;");
}

TEST_F(HTTP1ConnectionTest, ABodyLongerThanItsLengthIsRefusedAndAShorterOneBreaks) {
  answer_at_once = false;
  connect();
  send(get);
  run_until([&] { return !recorders.empty(); });
  ResponseHead head;
  head.content_length = 4;
  ResponseWriter& writer = *std::exchange(last().writer, nullptr);
  writer.write_head(head, "abc", false);
  EXPECT_THROW(writer.write_body("de"), UsageError);
  writer.finish();
  run_until_closed();
  EXPECT_EQ(server->connection_count(), 0U);
}

TEST_F(HTTP1ConnectionTest, AClientThatNeverReadsIsNotReadFromForEver) {
  options.max_pending_bytes = 64 * 1024;
  connect();
  const std::string many = [] {
    std::string text;
    for (int i = 0; i < 200; ++i) text += get;
    return text;
  }();
  // The socket pair fills up, then the server stops taking requests.
  std::size_t sent = 0;
  int idle_turns = 0;
  run_until([&] {
    const ssize_t part = ::send(client.get(), many.data(), many.size(), MSG_NOSIGNAL);
    if (part > 0) {
      // Whole requests only, so that what is refused later is a whole one again.
      sent += static_cast<std::size_t>(part);
      if (static_cast<std::size_t>(part) < many.size()) ++idle_turns;
      idle_turns = part == static_cast<ssize_t>(many.size()) ? 0 : idle_turns;
      return false;
    }
    return ++idle_turns > 50;
  });
  const std::size_t answered = recorders.size();
  EXPECT_LT(answered * get.size(), sent) << "all was answered into memory";
}

TEST_F(HTTP1ConnectionTest, DrainingClosesTheIdleAndLetsTheBusyFinish) {
  connect();
  send(get);
  run_until_answer_has("ok");
  const UniqueFd idle = std::move(client);
  answer_at_once = false;
  connect();
  send(get);
  run_until([&] { return recorders.size() == 2; });
  server->drain();
  EXPECT_EQ(server->connection_count(), 1U);
  last().answer();
  answer.clear();
  run_until_closed();
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  EXPECT_EQ(server->connection_count(), 0U);
}

}  // namespace
}  // namespace squall::server
