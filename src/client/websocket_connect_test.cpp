// SPDX-License-Identifier: Apache-2.0
#include "client/client_testing.hpp"
#include "http/head_parser.hpp"
#include "net/stream_testing.hpp"
#include "net/tls_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/net/bind.hpp>
#include <squall/net/tls.hpp>
#include <squall/net/tls_error.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace squall::client {
namespace {

using namespace std::chrono_literals;

class WebSocketConnectTest : public ClientTest {
 protected:
  static Task<> accept_and_close(net::Stream stream, ClientTest* test) {
    co_await accept(&stream, test, test->answer, close_frame(1000));
    co_await stream.closed();
  }
  /// Answers each request with `answer`, and the end of the connection.
  static Task<> reply(net::Stream stream, ClientTest* test) {
    co_await read_request(&stream, test);
    stream.write(test->answer);
  }
  /// Redirects "/0" to "/1", and so on; "/n" is a WebSocket.
  static Task<> redirect(net::Stream stream, ClientTest* test) {
    co_await read_request(&stream, test);
    const std::string& request = test->requests.back();
    const int at = std::stoi(request.substr(5));
    stream.write("HTTP/1.1 " + std::to_string(at % 2 == 0 ? 302 : 307) +
                 " x\r\nLocation: " + std::to_string(at + 1) + "?q\r\nContent-Length: 0\r\n\r\n");
  }

  /// Why it was not opened; no error when it was.
  std::error_code refusal(const WebSocketOptions& options = {}, std::string_view path = "/") {
    return run(try_websocket_connect(url(path), options)).error();
  }
  static std::error_code refusal_of(std::string_view to, const WebSocketOptions& options = {}) {
    return run(try_websocket_connect(to, options)).error();
  }
};

TEST_F(WebSocketConnectTest, SaysWhatTheOptionsAskFor) {
  script = &accept_and_close;
  answer = "Sec-WebSocket-Protocol: two\r\nX-Session: 42\r\n";
  const HeaderField headers[] = {{"Cookie", "a=b"}, {"X-Token", "t"}};
  const std::string to =
      "http://us%40er:p%C3%A4ss@127.0.0.1:" + std::to_string(port) + "/a b?q=1#frag";
  const WebSocket socket = run(websocket_connect(
      to, {.headers = headers, .subprotocols = "one, two", .origin = "https://example.com"}));
  EXPECT_EQ(socket.subprotocol(), "two");
  EXPECT_FALSE(socket.is_compressed());
  EXPECT_EQ(socket.response_header("x-session"), "42");
  EXPECT_EQ(socket.response_header("absent"), "");
  EXPECT_EQ(socket.url(), url("/a%20b?q=1"));
  const std::string& request = requests.at(0);
  EXPECT_EQ(request.substr(0, request.find("\r\n")), "GET /a%20b?q=1 HTTP/1.1");
  EXPECT_EQ(field(request, "Host"), "127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(field(request, "Cookie"), "a=b");
  EXPECT_EQ(field(request, "X-Token"), "t");
  EXPECT_EQ(field(request, "Origin"), "https://example.com");
  EXPECT_EQ(field(request, "Sec-WebSocket-Protocol"), "one, two");
  EXPECT_EQ(field(request, "Authorization"), "Basic dXNAZXI6cMOkc3M=");
  EXPECT_EQ(field(request, "Sec-WebSocket-Extensions"), "");
  EXPECT_EQ(request.find("frag"), std::string::npos);
}

TEST_F(WebSocketConnectTest, CredentialsOfTheOptionsTakeThePlaceOfTheUrls) {
  script = &accept_and_close;
  const std::string to = "ws://user:pass@127.0.0.1:" + std::to_string(port) + "/";
  EXPECT_FALSE(refusal_of(to, {.username = "\xc3\xa4", .password = "p:w"}));
  EXPECT_EQ(field(requests.at(0), "Authorization"), "Basic w6Q6cDp3");
  EXPECT_FALSE(refusal({.username = "only"}));
  EXPECT_EQ(field(requests.at(1), "Authorization"), "Basic b25seTo=");
  EXPECT_FALSE(refusal_of(to));
  EXPECT_EQ(field(requests.at(2), "Authorization"), "Basic dXNlcjpwYXNz");
  try {
    script = &reply;
    answer = "HTTP/1.1 401 x\r\n\r\n";
    run(websocket_connect(to, {.username = "me", .password = "secret"}));
    FAIL() << "connected";
  } catch (const WebSocketConnectError& error) {
    EXPECT_EQ(error.url(), url());
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
  }
}

TEST_F(WebSocketConnectTest, TheOwnAddressCanBeChosen) {
  net::TCPServer other([this](net::Stream stream, net::SocketAddress from) {
    frames = {from.ip()};
    return accept_and_close(std::move(stream), this);
  });
  const std::string to =
      "ws://127.0.0.1:" + std::to_string(other.listen(0, {.address = "127.0.0.1"}));
  const auto from = [&](std::string_view source_ip) {
    const std::error_code error = refusal_of(to, {.source_ip = source_ip});
    return error ? error.message() : frames.at(0);
  };
  EXPECT_EQ(from("127.0.0.9"), "127.0.0.9");
  EXPECT_EQ(from(""), "127.0.0.1");
  EXPECT_THROW(from("localhost"), UsageError);
  other.stop();
  other.close_all();
  loop::run_until([&] { return other.connections() == 0; });
}

TEST_F(WebSocketConnectTest, CompressionIsOfferedAndAgreedOn) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await accept(&stream, test, test->answer);
    co_await collect(&stream, test);
  };
  answer =
      "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
      "client_no_context_takeover\r\n";
  WebSocket socket = connect({.compression = {.enabled = true, .min_bytes = 10}});
  EXPECT_TRUE(socket.is_compressed());
  EXPECT_NE(field(requests.at(0), "Sec-WebSocket-Extensions"), "");
  socket.write_message("short");
  socket.write_message(std::string(10'000, 'x'));
  socket.close();
  loop::run_until([this] { return frames.size() == 3; });
  EXPECT_EQ(frames[0], "1:short");
  EXPECT_LT(frames[1].size(), 200u);
  // Without the offer the same answer is a violation.
  EXPECT_TRUE(refusal());
}

TEST_F(WebSocketConnectTest, ARefusalTellsStatusAndBody) {
  script = &reply;
  answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\n\r\nstay outside...";
  try {
    run(websocket_connect(url("/x")));
    FAIL() << "connected";
  } catch (const WebSocketConnectError& error) {
    EXPECT_EQ(error.status(), 403u);
    EXPECT_EQ(error.body(), "stay outside");
    EXPECT_EQ(error.url(), url("/x"));
    EXPECT_EQ(std::string(error.what()),
              "cannot open a WebSocket to " + url("/x") + ": the server answered 403 Forbidden");
  }
  EXPECT_EQ(refused_status(refusal()), 403u);
  EXPECT_EQ(refused_status(std::make_error_code(std::errc::timed_out)), 0u);
}

TEST_F(WebSocketConnectTest, OfALongBodyOnlyTheBeginningIsKept) {
  const auto body = [this] {
    try {
      run(websocket_connect(url()));
    } catch (const WebSocketConnectError& error) {
      EXPECT_EQ(error.status(), 500u);
      return error.body();
    }
    return std::string("connected");
  };
  script = &reply;
  answer = "HTTP/1.1 500 x\r\n\r\n" + std::string(100'000, 'x');
  EXPECT_EQ(body(), std::string(limits::refused_body_bytes, 'x'));
  answer = "HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  EXPECT_EQ(body(), "abcde");
  answer = "HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz";
  EXPECT_EQ(body(), "abc");
  answer = "HTTP/1.1 500 x\r\nContent-Length: nonsense\r\n\r\nabc";
  EXPECT_EQ(body(), "");
}

TEST_F(WebSocketConnectTest, ABodyThatDoesNotComeIsNotWaitedForLong) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await read_request(&stream, test);
    stream.write("HTTP/1.1 503 x\r\nContent-Length: 100\r\n\r\npart");
    co_await stream.closed();
  };
  try {
    run(websocket_connect(url()));
    FAIL() << "connected";
  } catch (const WebSocketConnectError& error) {
    EXPECT_EQ(error.status(), 503u);
    EXPECT_EQ(error.body(), "part");
  }
}

TEST_F(WebSocketConnectTest, AnswersThatAreNoneFail) {
  script = &reply;
  const std::string good =
      "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  struct {
    std::string text;
    std::string_view category;
  } const table[] = {
      {"", "squall.client"},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: web", "squall.client"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "squall.http.head"},
      {"HTTP/1.1 101 x\r\n" + std::string(limits::head_bytes, 'x'), "squall.http.head"},
      {"HTTP/1.1 101 x\r\n\r\n", {}},
      {good + "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", {}},  // of another key
  };
  for (const auto& row : table) {
    answer = row.text;
    SCOPED_TRACE(row.text.substr(0, 60));
    const std::error_code error = refusal();
    EXPECT_TRUE(error);
    EXPECT_EQ(refused_status(error), 0u);
    if (!row.category.empty()) {
      EXPECT_EQ(error.category().name(), row.category);
    }
  }
}

TEST_F(WebSocketConnectTest, AServerThatStopsAnywhereIsNoticed) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await read_request(&stream, test);
    const std::string head = agreement(test->requests.back());
    const std::string all = head + text_frame("whole") + close_frame(1000);
    test->frames = {head, all};
    stream.write(all.substr(0, test->pending));
    if (test->answer == "silent") co_await stream.closed();
  };
  pending = 1'000'000;
  EXPECT_EQ(run(read_all(connect())), "whole,1000");
  const std::size_t head = frames[0].size();
  const std::size_t all = frames[1].size();
  for (pending = 0; pending < all; ++pending) {
    SCOPED_TRACE(pending);
    answer = "closes";
    if (pending < head) {
      EXPECT_EQ(refusal(), ClientError::connection_ended);
    } else {
      EXPECT_EQ(run(read_all(connect())), pending < head + 7 ? "1006" : "whole,1006");
    }
    if (pending % 10 != 0) continue;
    answer = "silent";
    if (pending < head) {
      EXPECT_EQ(refusal({.connect_timeout = 5ms}), std::errc::timed_out);
    } else {
      EXPECT_FALSE(refusal());
    }
  }
}

TEST_F(WebSocketConnectTest, InterimAnswersAreSkipped) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    stream.write("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 x\r\n\r\n");
    co_await accept(&stream, test, "", close_frame(1000));
  };
  EXPECT_EQ(run(read_all(connect())), "1000");
}

TEST_F(WebSocketConnectTest, InterimAnswersWithoutEndAreRefused) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await read_request(&stream, test);
    for (;;) {
      const auto written = co_await stream.write("HTTP/1.1 100 Continue\r\n\r\n");
      if (!written) co_return;
    }
  };
  EXPECT_EQ(refusal().message(), make_error_code(http::HeadError::head_too_large).message());
}

TEST_F(WebSocketConnectTest, RedirectsAreFollowedUpToTheLimit) {
  script = &redirect;
  EXPECT_EQ(refusal({}, "/0"), ClientError::too_many_redirects);
  EXPECT_EQ(requests.size(), 6u);
  EXPECT_TRUE(requests.back().starts_with("GET /5?q HTTP/1.1\r\n"));
  requests.clear();
  EXPECT_EQ(refusal({.max_redirects = 1}, "/0"), ClientError::too_many_redirects);
  EXPECT_EQ(requests.size(), 2u);
  EXPECT_EQ(refused_status(refusal({.max_redirects = 0}, "/0")), 302u);

  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    if (test->requests.empty()) {
      co_await read_request(&stream, test);
      stream.write("HTTP/1.1 308 x\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n");
    } else {
      co_await accept(&stream, test);
      co_await stream.closed();
    }
  };
  requests.clear();
  const HeaderField headers[] = {{"Cookie", "a=b"}};
  const std::string with_user = "ws://u:p@127.0.0.1:" + std::to_string(port) + "/here";
  const WebSocket socket = run(websocket_connect(with_user, {.headers = headers}));
  EXPECT_EQ(socket.url(), url("/there"));
  EXPECT_EQ(field(requests.at(1), "Cookie"), "a=b");  // the same origin may know
  EXPECT_EQ(field(requests.at(1), "Authorization"), "Basic dTpw");
  EXPECT_NE(field(requests.at(0), "Sec-WebSocket-Key"), field(requests.at(1), "Sec-WebSocket-Key"));
}

TEST_F(WebSocketConnectTest, AnotherOriginGetsNoCredentials) {
  net::TCPServer other([this](net::Stream stream, net::SocketAddress) {
    return accept_and_close(std::move(stream), this);
  });
  const std::uint16_t there = other.listen(0, {.address = "127.0.0.1"});
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await read_request(&stream, test);
    stream.write("HTTP/1.1 301 x\r\nLocation: " + test->frames.at(0) +
                 "\r\nContent-Length: 0\r\n\r\n");
  };
  frames = {"http://evil:pw@127.0.0.1:" + std::to_string(there) + "/x"};
  const HeaderField headers[] = {{"cookie", "a=b"}, {"AUTHORIZATION", "secret"}, {"X-Mine", "1"}};
  EXPECT_FALSE(refusal({.username = "user", .password = "pw"}));
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(field(requests[0], "Authorization"), "Basic dXNlcjpwdw==");
  EXPECT_EQ(field(requests[1], "Authorization"), "");
  requests.clear();
  EXPECT_FALSE(refusal({.headers = headers}));
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(field(requests[0], "cookie"), "a=b");
  EXPECT_EQ(field(requests[0], "AUTHORIZATION"), "secret");
  EXPECT_EQ(field(requests[1], "cookie"), "");
  EXPECT_EQ(requests[1].find("secret"), std::string::npos);
  EXPECT_EQ(field(requests[1], "Authorization"), "");
  EXPECT_EQ(field(requests[1], "X-Mine"), "1");
  other.stop();
  other.close_all();
  loop::run_until([&] { return other.connections() == 0; });
}

TEST_F(WebSocketConnectTest, RedirectsToNowhereFail) {
  script = &reply;
  for (const char* location : {"", "Location: \r\n", "Location: mailto:a@b\r\n",
                               "Location: ftp://a/\r\n", "Location: ws://a:99999/\r\n"}) {
    SCOPED_TRACE(location);
    answer = "HTTP/1.1 302 x\r\n" + std::string(location) + "\r\n";
    EXPECT_EQ(refusal(), ClientError::bad_redirect);
  }
}

TEST_F(WebSocketConnectTest, TheTimeOutIsForEverything) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await read_request(&stream, test);
    stream.write("HTTP/1.1 101 Switching");
    co_await stream.closed();
    test->answer = "left";
  };
  try {
    run(websocket_connect(url(), {.connect_timeout = 30ms}));
    FAIL() << "connected";
  } catch (const WebSocketConnectError& error) {
    EXPECT_EQ(error.code(), std::errc::timed_out);
  }
  loop::run_until([this] { return answer == "left"; });
  // Redirects do not begin it anew.
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await read_request(&stream, test);
    co_await sleep(20ms);
    stream.write("HTTP/1.1 302 x\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
  };
  EXPECT_EQ(refusal({.connect_timeout = 50ms, .max_redirects = 1000}), std::errc::timed_out);
}

TEST_F(WebSocketConnectTest, ACancelledConnectLeavesNothingBehind) {
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await read_request(&stream, test);
    co_await stream.closed();
    test->answer = "left";
  };
  const auto open = [](std::string to) -> Task<std::string> {
    const WebSocket socket = co_await websocket_connect(to);
    co_return "connected";
  };
  net::BackgroundTask task;
  task.start(open(url()));
  loop::run_until([this] { return !requests.empty(); });
  task.request_stop();
  EXPECT_THROW(task.finish(), CancelledError);
  loop::run_until([this] { return answer == "left"; });
  // Nor does one that is destroyed where it waits.
  answer.clear();
  requests.clear();
  task.start(open(url()));
  loop::run_until([this] { return !requests.empty(); });
  task.cancel();
  loop::run_until([this] { return answer == "left"; });
  loop::run_until([] { return loop::LoopCore::current().busy_streams() == 0; });
}

TEST_F(WebSocketConnectTest, UrlsThatLeadNowhereFail) {
  EXPECT_EQ(refusal_of("ftp://127.0.0.1/"), ClientError::unsupported_scheme);
  EXPECT_STREQ(refusal_of("127.0.0.1/x").category().name(), "squall.url");
  const std::uint16_t closed = net::local_port(net::bind_sockets(0, "127.0.0.1").front().get());
  EXPECT_EQ(refusal_of("ws://127.0.0.1:" + std::to_string(closed)), std::errc::connection_refused);
  try {
    run(websocket_connect("ws://user:secret@127.0.0.1:" + std::to_string(closed) + "/x"));
    FAIL() << "connected";
  } catch (const WebSocketConnectError& error) {
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    EXPECT_EQ(error.status(), 0u);
  }
}

TEST_F(WebSocketConnectTest, OptionsThatCannotBeAreMisuse) {
  script = &accept_and_close;
  const HeaderField injected[] = {{"X-A", "b\r\nX-C: d"}};
  EXPECT_THROW(refusal({.headers = injected}), UsageError);
  const HeaderField own[] = {{"Sec-WebSocket-Key", "x"}};
  EXPECT_THROW(refusal({.headers = own}), UsageError);
  EXPECT_THROW(refusal({.subprotocols = "one,one"}), UsageError);
  EXPECT_THROW(refusal({.compression = {.enabled = true, .level = 10}}), UsageError);
  const net::TLSContext empty;
  EXPECT_THROW(refusal({.tls = &empty}), UsageError);
  const net::TLSContext tls = net::TLSContext::client();
  EXPECT_THROW(refusal({.tls = &tls, .ca_file = "ca.pem"}), UsageError);
  EXPECT_THROW(refusal({.tls = &tls, .verify_certificate = false}), UsageError);
  EXPECT_THROW(refusal({.key_file = "key.pem"}), UsageError);
  EXPECT_THROW(refusal({.ca_file = "/nowhere/ca.pem"}), std::system_error);
  const HeaderField authorization[] = {{"authorization", "Bearer x"}};
  EXPECT_THROW(refusal({.headers = authorization, .username = "u"}), UsageError);
  EXPECT_THROW(refusal({.username = "u:v"}), UsageError);
  EXPECT_TRUE(requests.empty());
}

// TLS.

class WebSocketTLSConnectTest : public WebSocketConnectTest {
 protected:
  void serve(const net::TestAuthority::Request& request) {
    const auto files = authority.issue(request);
    const net::TLSContext context = net::TLSContext::server({.certificate_file = files.certificate,
                                                             .key_file = files.key,
                                                             .client_certificate = wanted,
                                                             .client_ca_file = authority.file});
    secure = std::make_unique<net::TCPServer>(
        [this](net::Stream stream, net::SocketAddress) {
          return accept_and_close(std::move(stream), this);
        },
        context);
    secure_port = secure->listen(0, {.address = "127.0.0.1"});
  }
  ~WebSocketTLSConnectTest() override {
    if (!secure) return;
    secure->stop();
    secure->close_all();
    loop::run_until([this] { return secure->connections() == 0; });
  }
  [[nodiscard]] std::string secure_url(std::string_view host = "localhost") const {
    return "wss://" + std::string(host) + ":" + std::to_string(secure_port) + "/";
  }

  net::TestAuthority authority;
  net::ClientCertificate wanted = net::ClientCertificate::none;
  std::unique_ptr<net::TCPServer> secure;
  std::uint16_t secure_port = 0;
};

TEST_F(WebSocketTLSConnectTest, TheCertificateMustBeTheHosts) {
  serve({.names = "DNS:localhost"});
  const net::TLSContext trusting = net::TLSContext::client({.ca_file = authority.file});
  EXPECT_EQ(run(read_all(run(websocket_connect(secure_url(), {.tls = &trusting})))), "1000");
  EXPECT_EQ(refusal_of(secure_url("127.0.0.1"), {.tls = &trusting}),
            net::TLSError::hostname_mismatch);
  EXPECT_EQ(refusal_of(secure_url()), net::TLSError::certificate_untrusted);
  EXPECT_FALSE(refusal_of(secure_url("127.0.0.1"), {.verify_certificate = false}));
}

TEST_F(WebSocketTLSConnectTest, TheOptionsNameAuthoritiesAndTheClientsCertificate) {
  wanted = net::ClientCertificate::required;
  serve({.names = "DNS:localhost"});
  const auto mine = authority.issue({.names = "DNS:alice", .usage = "clientAuth"}, "alice");
  const WebSocketOptions options{
      .ca_file = authority.file, .certificate_file = mine.certificate, .key_file = mine.key};
  EXPECT_EQ(run(read_all(run(websocket_connect(secure_url(), options)))), "1000");
  EXPECT_TRUE(refusal_of(secure_url(), {.ca_file = authority.file}));  // without the certificate
  EXPECT_EQ(requests.size(), 1u);
  EXPECT_EQ(refusal_of(secure_url("127.0.0.1"), options), net::TLSError::hostname_mismatch);
}

TEST_F(WebSocketTLSConnectTest, AnExpiredCertificateIsRefused) {
  serve({.names = "DNS:localhost", .first_day = -10, .last_day = -1});
  const net::TLSContext trusting = net::TLSContext::client({.ca_file = authority.file});
  EXPECT_EQ(refusal_of(secure_url(), {.tls = &trusting}), net::TLSError::certificate_expired);
}

TEST_F(WebSocketTLSConnectTest, RedirectsLeadToTLSButNotAwayFromIt) {
  serve({.names = "DNS:localhost"});
  const net::TLSContext trusting = net::TLSContext::client({.ca_file = authority.file});
  answer =
      "HTTP/1.1 302 x\r\nLocation: https://localhost:" + std::to_string(secure_port) + "/\r\n\r\n";
  script = [](net::Stream stream, ClientTest* test) -> Task<> {
    co_await read_request(&stream, test);
    stream.write(std::exchange(test->answer, {}));
  };
  EXPECT_FALSE(refusal({.tls = &trusting}));

  secure->stop();
  secure->close_all();
  loop::run_until([this] { return secure->connections() == 0; });
  const auto files = authority.issue({.names = "DNS:localhost"}, "again");
  const net::TLSContext context =
      net::TLSContext::server({.certificate_file = files.certificate, .key_file = files.key});
  secure = std::make_unique<net::TCPServer>(
      [this](net::Stream stream, net::SocketAddress) { return reply(std::move(stream), this); },
      context);
  secure_port = secure->listen(0, {.address = "127.0.0.1"});
  answer = "HTTP/1.1 302 x\r\nLocation: " + url() + "\r\n\r\n";
  EXPECT_EQ(refusal_of(secure_url(), {.tls = &trusting}), ClientError::insecure_redirect);
}

}  // namespace
}  // namespace squall::client
