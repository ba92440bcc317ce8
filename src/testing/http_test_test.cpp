// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/json.hpp>
#include <squall/testing.hpp>
#include <squall/web.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace squall::testing {
namespace {

struct Echo : web::RequestHandler {
  void get() { write(request().method_name()); }
  void post() {
    set_header("Content-Type", request().header("Content-Type"));
    write(std::string_view(request().body()));
  }
  void put() { post(); }
};

struct Talk : web::WebSocketHandler {
  void on_message(std::string_view message) { write_message("you said " + std::string(message)); }
};

struct Login : web::RequestHandler {
  void get() { write(get_cookie("user", "nobody") + " from " + request().remote_ip()); }
  void post() {
    set_cookie("user", get_body_argument("name"));
    redirect("/who");
  }
  void delete_() { clear_cookie("user"); }
};

struct Never : web::RequestHandler {
  Task<> get() { co_await sleep(Duration::from_seconds(3600)); }
};

struct Pieces : web::RequestHandler {
  Task<> get() {
    for (int i = 0; i < 3; ++i) {
      write(std::string(1000, static_cast<char>('a' + i)));
      co_await flush();
    }
  }
};

struct Broken : web::RequestHandler {
  Task<> get() {
    set_header("Content-Length", 10);
    write("half");
    co_await flush();
  }
};

class HTTPTestTest : public HTTPTestCase<::testing::TestWithParam<Transport>> {
 protected:
  std::unique_ptr<web::Application> get_app() override {
    return std::make_unique<web::Application>(std::initializer_list<web::Route>{
        {"/echo", web::handler<Echo>},
        {"/talk", web::handler<Talk>},
        {"/who", web::handler<Login>},
        {"/never", web::handler<Never>},
        {"/pieces", web::handler<Pieces>},
        {"/broken", web::handler<Broken>},
    });
  }
  HTTPTestOptions get_options() override { return {.transport = GetParam()}; }
};

INSTANTIATE_TEST_SUITE_P(Over, HTTPTestTest, ::testing::Values(Transport::memory, Transport::tcp),
                         [](const auto& with) {
                           return with.param == Transport::memory ? "Memory" : "TCP";
                         });

TEST_P(HTTPTestTest, FetchesWithMethodsFieldsAndBodies) {
  const Response got = fetch("/echo");
  EXPECT_EQ(got.code(), 200);
  EXPECT_EQ(got.reason(), "OK");
  EXPECT_EQ(got.body(), "GET");
  EXPECT_EQ(got.effective_url(), "/echo");
  EXPECT_EQ(got.headers("SERVER").size(), 1U);
  EXPECT_FALSE(got.has_header("X-None"));
  const std::string large(3 << 20, 'x');
  const Response posted = fetch(
      "/echo", {.method = "POST", .headers = {{"Content-Type", "text/x-large"}}, .body = large});
  EXPECT_EQ(posted.body(), large);
  EXPECT_EQ(posted.header("content-type"), "text/x-large");
  EXPECT_EQ(fetch("/echo", {.method = "POST"}).body(), "");
  EXPECT_EQ(fetch("/echo", {.method = "HEAD"}).body(), "");
  EXPECT_EQ(fetch("/none").code(), 404);
  EXPECT_EQ(fetch("/pieces").body().size(), 3000U);
}

TEST_P(HTTPTestTest, ReadsJSON) {
  const Response posted = fetch("/echo", {.method = "PUT", .body = R"({"a": [1, 2]})"});
  EXPECT_EQ(posted.json().at("a").at(1).as_int64(), 2);
  EXPECT_THROW(static_cast<void>(fetch("/echo").json()), Error);
}

TEST_P(HTTPTestTest, FollowsRedirectsAndKeepsCookies) {
  EXPECT_EQ(fetch("/who").body(), "nobody from 127.0.0.1");
  const FetchOptions login{.method = "POST",
                           .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                           .body = "name=ann",
                           .follow_redirects = false};
  const Response stayed = fetch("/who", login);
  EXPECT_EQ(stayed.code(), 302);
  EXPECT_EQ(http().cookie("user"), "ann");
  FetchOptions followed = login;
  followed.body = "name=eve";
  followed.follow_redirects = true;
  const Response welcome = fetch("/who", followed);
  EXPECT_EQ(welcome.code(), 200);
  EXPECT_EQ(welcome.body(), "eve from 127.0.0.1");
  EXPECT_EQ(welcome.effective_url(), "/who");
  EXPECT_EQ(fetch("/who", {.headers = {{"Cookie", "user=own"}}}).body(), "own from 127.0.0.1");
  fetch("/who", {.method = "DELETE"});
  EXPECT_EQ(http().cookie("user"), "");
}

TEST_P(HTTPTestTest, SpeaksOverWebSockets) {
  client::WebSocket socket = http().websocket_connect("/talk");
  socket.write_message("hello");
  const auto message = http().read_message(socket);
  ASSERT_TRUE(message);
  EXPECT_EQ(*message, "you said hello");
  socket.close();
  EXPECT_FALSE(http().read_message(socket));
  EXPECT_THROW(http().websocket_connect("/echo"), client::WebSocketConnectError);
}

TEST_P(HTTPTestTest, AsksSeveralThingsAtOnce) {
  const auto both = [](HTTPTest* test) -> Task<std::string> {
    Task<Response> first = test->async_fetch("/echo");
    Task<Response> second = test->async_fetch("/pieces");
    const Response a = co_await first;
    const Response b = co_await second;
    co_return a.body() + std::to_string(b.body().size());
  };
  EXPECT_EQ(http().run(both(&http())), "GET3000");
}

TEST_P(HTTPTestTest, TellsWhyThereIsNoAnswer) {
  EXPECT_THROW(fetch("/never", {.timeout = Duration::from_milliseconds(30)}), TimeoutError);
  EXPECT_EQ(fetch("/echo").body(), "GET");
  const ExpectLog logged("server", "");
  try {
    fetch("/broken");
    FAIL() << "half an answer was taken for a whole one";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("GET /broken"), std::string::npos) << error.what();
  }
  EXPECT_THROW(fetch("/pieces", {.max_body_size = 2999}), Error);
}

TEST_P(HTTPTestTest, RefusesWhatIsNoRequest) {
  EXPECT_THROW(fetch("echo"), UsageError);
  EXPECT_THROW(fetch("/a b"), UsageError);
  EXPECT_THROW(fetch("/echo", {.body = "x"}), UsageError);
  EXPECT_THROW(fetch("/echo", {.method = "G T"}), UsageError);
  EXPECT_THROW(fetch("/echo", {.headers = {{"X", "a\r\nY: b"}}}), UsageError);
  EXPECT_THROW(HTTPTest second(app()), UsageError);
}

TEST(BindUnusedPort, GivesASocketThatListens) {
  const UnusedPort port = bind_unused_port();
  EXPECT_GT(port.port, 0);
  int listens = 0;
  socklen_t size = sizeof listens;
  EXPECT_EQ(::getsockopt(port.socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size), 0);
  EXPECT_EQ(listens, 1);
  ::close(port.socket);
}

}  // namespace
}  // namespace squall::testing
