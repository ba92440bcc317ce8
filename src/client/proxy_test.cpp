// SPDX-License-Identifier: Apache-2.0
#include "client/proxy.hpp"

#include "base/base64.hpp"
#include "client/client_testing.hpp"

#include <chrono>
#include <cstdlib>

namespace squall::client {
namespace {

using namespace std::chrono_literals;

TEST(ParseProxy, KnowsHttpAndSocks) {
  EXPECT_EQ(parse_proxy("proxy.example:3128")->port, 3128);
  EXPECT_EQ(parse_proxy("proxy.example:3128")->scheme, "http");
  EXPECT_EQ(parse_proxy("http://u:p@proxy.example")->port, 80);
  EXPECT_EQ(parse_proxy("socks5h://[::1]")->port, 1080);
  for (const char* bad : {"ftp://x", "socks4://x", "http://", "http://a b:1", ":"}) {
    EXPECT_EQ(parse_proxy(bad).error(), ClientError::bad_proxy) << bad;
  }
  EXPECT_EQ(parse_proxy("https://proxy.example").error(), ClientError::secure_proxy);
}

TEST(NoProxy, NamesHostsAndTheirSubdomains) {
  const auto url = parse_url("wss://www.example.com:8443/");
  ASSERT_TRUE(url);
  for (const char* list : {"*", "example.com", ".example.com", "*.example.com", "EXAMPLE.com",
                           "a, b,www.example.com", "example.com:8443", "x www.example.com y"}) {
    EXPECT_TRUE(is_excepted(list, *url)) << list;
  }
  for (const char* list : {"", ",", "ample.com", "example.com:443", "www.example.com.", "com.x",
                           "wwww.example.com", "m", "http://example.com"}) {
    EXPECT_FALSE(is_excepted(list, *url)) << list;
  }
  const auto address = parse_url("ws://[::1]/");
  ASSERT_TRUE(address);
  EXPECT_TRUE(is_excepted("::1", *address));
  EXPECT_TRUE(is_excepted("[::1]", *address));
  EXPECT_FALSE(is_excepted("::2", *address));
}

TEST(ProxyOfEnvironment, IsAskedForByScheme) {
  const char* const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY",
                               "all_proxy",  "ALL_PROXY",   "no_proxy",    "NO_PROXY"};
  for (const char* name : names) ::unsetenv(name);
  const auto plain = parse_url("ws://a.example/");
  const auto secure = parse_url("wss://a.example/");
  EXPECT_EQ(proxy_of_environment(*plain), "");
  ::setenv("HTTP_PROXY", "never", 1);  // a CGI program's client could set it
  EXPECT_EQ(proxy_of_environment(*plain), "");
  ::setenv("all_proxy", "all", 1);
  EXPECT_EQ(proxy_of_environment(*plain), "all");
  ::setenv("http_proxy", "plain", 1);
  ::setenv("HTTPS_PROXY", "secure", 1);
  EXPECT_EQ(proxy_of_environment(*plain), "plain");
  EXPECT_EQ(proxy_of_environment(*secure), "secure");
  ::setenv("no_proxy", "b.example,a.example", 1);
  EXPECT_EQ(proxy_of_environment(*secure), "");
  for (const char* name : names) ::unsetenv(name);
}

/// A proxy, and behind it a WebSocket of the same script: it does not really connect.
class ProxyTest : public ClientTest {
 protected:
  static Task<> behind_http(net::Stream stream, ClientTest* test) {
    co_await read_request(&stream, test);
    stream.write(test->answer);
    if (test->answer.find(" 200 ") == std::string::npos) co_return;
    co_await accept(&stream, test, "", close_frame(1000));
    co_await stream.closed();
  }
  static Task<> behind_socks(net::Stream stream, ClientTest* test) {
    const auto greeting = co_await stream.read_exactly(2);
    const auto methods = co_await stream.read_exactly(static_cast<std::size_t>((*greeting)[1]));
    test->frames.push_back(*greeting + *methods);
    const bool asks = methods->find('\2') != std::string::npos;
    stream.write(asks ? std::string("\5\2") : std::string("\5\0", 2));
    if (asks) {
      const auto credentials = co_await stream.read_exactly(10);
      test->frames.push_back(*credentials);
      stream.write(std::string("\1\0", 2));
    }
    const auto request = co_await stream.read_exactly(18);
    test->frames.push_back(*request);
    stream.write(test->answer);
    if (test->answer[1] != 0) co_return;
    co_await accept(&stream, test, "", close_frame(1000));
    co_await stream.closed();
  }
  std::error_code refusal(std::string_view proxy_user = "", std::string_view scheme = "http") {
    const std::string proxy =
        std::string(scheme) + "://" + std::string(proxy_user) + "127.0.0.1:" + std::to_string(port);
    return run(try_websocket_connect("ws://far.example/x", {.proxy = proxy})).error();
  }
};

TEST_F(ProxyTest, ConnectsThroughAnHttpProxy) {
  script = &behind_http;
  answer = "HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n";
  EXPECT_FALSE(refusal("u:p@"));
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_TRUE(requests[0].starts_with("CONNECT far.example:80 HTTP/1.1\r\n"));
  EXPECT_EQ(field(requests[0], "Host"), "far.example:80");
  EXPECT_EQ(field(requests[0], "Proxy-Authorization"), "Basic " + encode_base64("u:p"));
  EXPECT_TRUE(requests[1].starts_with("GET /x HTTP/1.1\r\n"));
  EXPECT_EQ(field(requests[1], "Proxy-Authorization"), "");
  EXPECT_EQ(field(requests[1], "Host"), "far.example");
  requests.clear();
  EXPECT_FALSE(refusal());
  EXPECT_EQ(field(requests[0], "Proxy-Authorization"), "");
}

TEST_F(ProxyTest, TellsWhyTheProxyDoesNot) {
  script = &behind_http;
  answer = "HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(refusal(), ClientError::proxy_unauthorized);
  answer = "HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"Tinyproxy\"\r\n\r\n";
  EXPECT_EQ(refusal("u:wrong@"), ClientError::proxy_unauthorized);
  answer = "HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(refusal(), ClientError::proxy_refused);
  answer = "HTTP/1.1 502 x\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(refusal(), ClientError::proxy_refused);
  answer = "220 smtp.example\r\n";
  EXPECT_EQ(refusal(), ClientError::bad_proxy_answer);
  answer = "HTTP/1.1 200 x\r\n\r\ntoo early";
  EXPECT_EQ(refusal(), ClientError::bad_proxy_answer);
  answer = "";
  EXPECT_EQ(refusal(), ClientError::connection_ended);
  EXPECT_EQ(run(try_websocket_connect("ws://a/", {.proxy = "https://b"})).error(),
            ClientError::secure_proxy);
}

TEST_F(ProxyTest, AProxyThatSaysNothingIsLeft) {
  script = [](net::Stream stream, ClientTest*) -> Task<> { co_await stream.closed(); };
  const std::string proxy = "127.0.0.1:" + std::to_string(port);
  EXPECT_EQ(
      run(try_websocket_connect("ws://a/", {.connect_timeout = 30ms, .proxy = proxy})).error(),
      std::errc::timed_out);
}

TEST_F(ProxyTest, ConnectsThroughSocks) {  // RFC 1928, RFC 1929
  script = &behind_socks;
  answer = std::string("\5\0\0\1\x7f\0\0\1\0\x50", 10);
  EXPECT_FALSE(refusal("", "socks5"));
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0], std::string("\5\1\0", 3));
  EXPECT_EQ(frames[1], std::string("\5\1\0\3\x0b", 5) + "far.example" + std::string("\0\x50", 2));
  frames.clear();
  answer = std::string("\5\0\0\3\3abc\0\x50", 10);
  EXPECT_FALSE(refusal("use:pass@", "socks5h"));
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0], std::string("\5\2\0\2", 4));
  EXPECT_EQ(frames[1], "\1\3use\4pass");
  answer = std::string("\5\5\0\1\0\0\0\0\0\0", 10);
  EXPECT_EQ(refusal("", "socks5"), std::errc::connection_refused);
  answer = std::string("\5\2\0\1\0\0\0\0\0\0", 10);
  EXPECT_EQ(refusal("", "socks5"), ClientError::proxy_refused);
}

}  // namespace
}  // namespace squall::client
