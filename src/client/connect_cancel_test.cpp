// SPDX-License-Identifier: Apache-2.0
// A connect that is given up, wherever it waits: it ends at once and leaves nothing behind.
#include "client/client_testing.hpp"
#include "net/deaf_port_testing.hpp"
#include "net/stream_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/net/address.hpp>
#include <squall/net/bind.hpp>
#include <squall/net/resolver.hpp>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <optional>
#include <ostream>
#include <poll.h>
#include <sys/socket.h>

namespace squall::client {
namespace {

using namespace std::chrono_literals;

/// Where the connect waits.
enum class At {
  name,          // for the host's addresses
  tcp,           // for the connection
  tls,           // for the server's part of the TLS handshake
  http_proxy,    // for the answer to CONNECT
  socks_method,  // for the SOCKS5 proxy's choice
  socks_login,   // ... for its word on the credentials
  socks_reply,   // ... and for its connection
  tls_in_proxy,  // for the TLS handshake behind a proxy
  upgrade,       // for the answer to the opening handshake
  refusal,       // for the body of an answer that refuses
  redirect,      // for the answer of the second server
};

const char* name_of(At at) {
  constexpr const char* names[] = {"Name",        "Tcp",        "Tls",        "HttpProxy",
                                   "SocksMethod", "SocksLogin", "SocksReply", "TlsInProxy",
                                   "Upgrade",     "Refusal",    "Redirect"};
  return names[static_cast<int>(at)];
}
void PrintTo(At at, std::ostream* out) { *out << name_of(at); }

std::ptrdiff_t open_descriptors() {
  std::filesystem::directory_iterator entries("/proc/self/fd");
  return std::distance(begin(entries), end(entries));
}

/// A UDP port that never answers.
class SilentPort {
 public:
  SilentPort() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_storage native{};
    const auto size = static_cast<socklen_t>(
        net::SocketAddress::parse("127.0.0.1", 0).to_native(&native, sizeof native));
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&native), size), 0);
    port = net::local_port(fd_.get());
  }
  [[nodiscard]] bool has_input() const {
    pollfd entry{fd_.get(), POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
  }
  void drain() const {
    char byte;
    while (::recv(fd_.get(), &byte, 1, 0) >= 0) continue;
  }
  std::uint16_t port = 0;

 private:
  UniqueFd fd_;
};

class ConnectCancelTest : public ClientTest, public ::testing::WithParamInterface<At> {
 protected:
  void SetUp() override {
    const At at = GetParam();
    if (at == At::name) {
      if (!net::Resolver::has_cares()) GTEST_SKIP() << "this build has no c-ares";
      silence.emplace();
    }
    if (at == At::tcp) deaf.emplace("127.0.0.1");
    script = &play;
    if (at == At::socks_login) answer = std::string("\5\2", 2);
    if (at == At::socks_reply) answer = std::string("\5\0", 2);
    if (at == At::tls_in_proxy) answer = "HTTP/1.1 200 Established\r\n\r\n";
    if (at == At::refusal) answer = "HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nmore";
    if (at == At::redirect) answer = "HTTP/1.1 302 x\r\nLocation: /there\r\n\r\n";
    renew_resolver();
    // What the library makes once for a thread is there before anything is counted.
    EXPECT_TRUE(
        run(try_websocket_connect("wss://127.0.0.1:1/", {.verify_certificate = false})).error());
    run_turns(3);
    before = open_descriptors();
  }
  void TearDown() override { net::Resolver::use({}); }

  /// Says `answer` to what comes first, and then nothing more until the other end goes.
  static Task<> play(net::Stream stream, ClientTest* test) {
    char buffer[4096];
    for (;;) {
      const auto came = co_await stream.read_some(buffer);
      if (!came || *came == 0) break;
      test->requests.emplace_back(buffer, *came);
      if (!test->answer.empty()) stream.write(std::exchange(test->answer, {}));
    }
  }

  /// An end of a lookup that nobody waits for any more.
  void renew_resolver() {
    if (GetParam() != At::name) return;
    const std::string address = "127.0.0.1:" + std::to_string(silence->port);
    net::Resolver::use({.backend = net::ResolverOptions::Backend::cares, .servers = address});
  }

  [[nodiscard]] std::string target() const {
    const std::string here = "127.0.0.1:" + std::to_string(port);
    switch (GetParam()) {
      case At::name:
        return "ws://silent.example:" + std::to_string(port);
      case At::tcp:
        return "ws://127.0.0.1:" + std::to_string(deaf->port);
      case At::tls:
        return "wss://" + here;
      case At::tls_in_proxy:
        return "wss://far.example/";
      case At::upgrade:
      case At::refusal:
      case At::redirect:
        return "ws://" + here;
      default:
        return "ws://far.example/";
    }
  }
  [[nodiscard]] std::string proxy() const {
    const std::string here = "127.0.0.1:" + std::to_string(port);
    switch (GetParam()) {
      case At::http_proxy:
      case At::tls_in_proxy:
        return here;
      case At::socks_method:
      case At::socks_login:
      case At::socks_reply:
        return "socks5://user:pass@" + here;
      default:
        return "";
    }
  }
  /// Whether it waits where it is to.
  [[nodiscard]] bool is_there() const {
    switch (GetParam()) {
      case At::name:
        return silence->has_input();
      case At::tcp:
        return open_descriptors() > before;
      case At::socks_login:
      case At::socks_reply:
      case At::tls_in_proxy:
      case At::redirect:
        return requests.size() == 2;
      default:
        return requests.size() == 1;
    }
  }

  static Task<std::string> open(std::string to, std::string proxy, std::string* after,
                                Duration limit = Duration()) {
    std::string outcome;
    try {
      const auto opened = co_await try_websocket_connect(
          to, {.connect_timeout = limit, .proxy = proxy, .verify_certificate = false});
      outcome = opened ? "opened" : opened.error().message();
      after->append(outcome);
    } catch (...) {
      after->append("thrown");
      throw;
    }
    co_return outcome;
  }
  static Task<std::string> open_within(Duration limit, std::string to, std::string proxy,
                                       std::string* after) {
    try {
      co_await with_timeout(limit, open(to, proxy, after));
    } catch (const TimeoutError&) {
      co_return "given up";
    }
    co_return "not given up";
  }
  void start() {
    task.start(open(target(), proxy(), &after));
    loop::run_until([this] { return is_there(); });
    run_turns(3);
    EXPECT_FALSE(task.is_done());
  }
  static void run_turns(int count) {
    loop::run_until([&] { return count-- == 0; });
  }

  void expect_nothing_left() {
    run_turns(3);
    loop::run_until([this] { return server.connections() == 0; });
    renew_resolver();
    loop::run_until([this] { return open_descriptors() == before; });
    EXPECT_EQ(loop::LoopCore::current().busy_streams(), 0u);
  }
  /// Runs `once` with longer and longer limits until it came to where it is to wait.
  template <class F>
  void with_limits(F once) {
    const std::string said = answer;
    for (Duration limit = Duration(20ms); limit < Duration(5s); limit = limit + limit) {
      requests.clear();
      answer = said;
      if (silence) silence->drain();
      bool was_there = false;
      task.start(once(limit));
      loop::run_until([&] {
        was_there = was_there || is_there();
        return task.is_done();
      });
      outcome = task.finish();
      expect_nothing_left();
      if (was_there) return;
    }
    ADD_FAILURE() << "it never came there";
  }

  std::optional<SilentPort> silence;
  std::optional<net::DeafPort> deaf;
  std::ptrdiff_t before = 0;
  std::string after;  // what the connect has led to
  std::string outcome;
  net::BackgroundTask task;
};

TEST_P(ConnectCancelTest, AStopEndsItAtOnce) {
  start();
  task.request_stop();
  int turns = 0;
  loop::run_until([&] { return task.is_done() || ++turns > 10; });
  EXPECT_TRUE(task.is_done()) << "it waits on";
  EXPECT_THROW(task.finish(), CancelledError);
  EXPECT_EQ(after, "thrown");
  expect_nothing_left();
}

TEST_P(ConnectCancelTest, DestroyedItCallsNothingBack) {
  start();
  task.cancel();
  EXPECT_EQ(after, "");
  expect_nothing_left();
  EXPECT_EQ(after, "");
  EXPECT_FALSE(task.is_done());
}

TEST_P(ConnectCancelTest, ItsCallersTimeOutEndsIt) {
  with_limits([this](Duration limit) { return open_within(limit, target(), proxy(), &after); });
  EXPECT_EQ(outcome, "given up");
  EXPECT_EQ(after.find("opened"), std::string::npos);
}

TEST_P(ConnectCancelTest, ItsOwnTimeOutEndsIt) {
  with_limits([this](Duration limit) { return open(target(), proxy(), &after, limit); });
  // That a server has refused is not forgotten for the text that it owes.
  const auto refused = std::error_code(403, refused_category());
  const auto timed_out = std::make_error_code(std::errc::timed_out);
  EXPECT_EQ(outcome, (GetParam() == At::refusal ? refused : timed_out).message());
}

INSTANTIATE_TEST_SUITE_P(At, ConnectCancelTest,
                         ::testing::Values(At::name, At::tcp, At::tls, At::http_proxy,
                                           At::socks_method, At::socks_login, At::socks_reply,
                                           At::tls_in_proxy, At::upgrade, At::refusal,
                                           At::redirect),
                         [](const auto& one) { return std::string(name_of(one.param)); });

}  // namespace
}  // namespace squall::client
