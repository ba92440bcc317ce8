// SPDX-License-Identifier: Apache-2.0
#include "net/stream_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/event.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/net/resolver.hpp>
#include <squall/net/udp_socket.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace squall::net {
namespace {

using namespace std::chrono_literals;
using Family = SocketAddress::Family;

std::string run(Task<std::string> task) {
  BackgroundTask one;
  one.start(std::move(task));
  return one.finish();
}

/// The addresses as text, or what went wrong.
Task<std::string> ask(Resolver& resolver, std::string host, std::uint16_t port = 80,
                      Family family = Family::none) {
  const auto found = co_await resolver.resolve(host, port, family);
  if (!found) co_return found.error().message();
  std::string text;
  for (const SocketAddress& address : *found) text += address.to_string() + " ";
  if (!text.empty()) text.pop_back();
  co_return text;
}

Task<std::string> wait(Duration time) {
  co_await sleep(time);
  co_return "";
}

std::string text_of(ResolveError error) { return make_error_code(error).message(); }

/// Answers what the test says, when it says so.
struct Scripted final : ResolverBackend {
  Task<Result<Addresses>> look_up(std::string host, Family family) override {
    ++lookups;
    asked.push_back(host + (family == Family::ipv6 ? " (IPv6)" : ""));
    if (held) co_await release.wait();
    if (throws) throw Error("cannot ask");
    if (error) co_return error;
    co_return answer;
  }
  int lookups = 0;
  std::vector<std::string> asked;
  bool held = false;
  bool throws = false;
  Event release;
  std::error_code error;
  Addresses answer = {SocketAddress::parse("192.0.2.1", 0), SocketAddress::parse("2001:db8::1", 0)};
};

class ResolverTest : public ::testing::Test {
 protected:
  Scripted backend;
};

TEST_F(ResolverTest, GivesEveryAddressThePort) {
  Resolver resolver(backend);
  EXPECT_EQ(run(ask(resolver, "example.com", 443)), "192.0.2.1:443 [2001:db8::1]:443");
  EXPECT_EQ(run(ask(resolver, "example.com", 443, Family::ipv6)),
            "192.0.2.1:443 [2001:db8::1]:443");
  EXPECT_EQ(backend.asked, (std::vector<std::string>{"example.com", "example.com (IPv6)"}));
}

TEST_F(ResolverTest, ALiteralIsItsOwnAnswerAtOnce) {
  Resolver resolver(backend);
  BackgroundTask task;
  task.start(ask(resolver, "127.0.0.1", 1));
  EXPECT_TRUE(task.is_done());
  EXPECT_EQ(task.finish(), "127.0.0.1:1");
  EXPECT_EQ(run(ask(resolver, "::1", 2)), "[::1]:2");
  EXPECT_EQ(run(ask(resolver, "::1", 2, Family::ipv4)), text_of(ResolveError::no_address));
  EXPECT_EQ(backend.lookups, 0);
}

TEST_F(ResolverTest, WhatIsNoNameIsNotAskedFor) {
  Resolver resolver(backend);
  for (const std::string& host : {std::string(), std::string("a\0b", 3), std::string(254, 'a')}) {
    EXPECT_EQ(run(ask(resolver, host)), text_of(ResolveError::bad_name));
  }
  EXPECT_EQ(backend.lookups, 0);
}

TEST_F(ResolverTest, FailuresAreValues) {
  Resolver resolver(backend);
  backend.error = ResolveError::host_not_found;
  EXPECT_EQ(run(ask(resolver, "no.example")), text_of(ResolveError::host_not_found));
  backend.error = {};
  backend.answer.clear();
  EXPECT_EQ(run(ask(resolver, "no.example")), text_of(ResolveError::no_address));
  backend.throws = true;
  EXPECT_EQ(run(ask(resolver, "no.example")), text_of(ResolveError::try_again));
}

TEST_F(ResolverTest, EqualLookupsAtATimeAreMadeOnce) {
  Resolver resolver(backend);
  backend.held = true;
  std::vector<std::unique_ptr<BackgroundTask>> tasks;
  for (int i = 0; i < 5; ++i) {
    tasks.push_back(std::make_unique<BackgroundTask>());
    tasks.back()->start(
        ask(resolver, i % 2 == 0 ? "example.com" : "EXAMPLE.com", static_cast<std::uint16_t>(i)));
  }
  EXPECT_EQ(backend.lookups, 1);
  tasks[0]->request_stop();
  EXPECT_THROW(tasks[0]->finish(), CancelledError);
  tasks[1]->cancel();
  backend.release.set();
  for (int i = 2; i < 5; ++i) {
    const std::string port = std::to_string(i);
    EXPECT_EQ(tasks[static_cast<std::size_t>(i)]->finish(),
              "192.0.2.1:" + port + " [2001:db8::1]:" + port);
  }
}

TEST_F(ResolverTest, ADestroyedOneEndsWhatIsUnderWay) {
  backend.held = true;
  BackgroundTask task;
  {
    Resolver resolver(backend);
    task.start(ask(resolver, "example.com"));
  }
  EXPECT_EQ(task.finish(), text_of(ResolveError::closed));
}

TEST_F(ResolverTest, LookupsAtATimeAreLimited) {
  Resolver resolver(backend, {.max_lookups = 1});
  backend.held = true;
  BackgroundTask first;
  first.start(ask(resolver, "one.example"));
  EXPECT_EQ(run(ask(resolver, "two.example")), text_of(ResolveError::too_many_lookups));
  backend.release.set();
  EXPECT_NE(first.finish(), "");
}

TEST_F(ResolverTest, NothingIsRememberedUnlessAskedFor) {
  Resolver resolver(backend);
  run(ask(resolver, "example.com"));
  run(ask(resolver, "example.com"));
  EXPECT_EQ(backend.lookups, 2);
}

TEST_F(ResolverTest, TheCacheRemembersForAWhile) {
  Resolver resolver(backend, {.cache_ttl = 30ms});
  run(ask(resolver, "example.com"));
  EXPECT_EQ(run(ask(resolver, "Example.COM", 81)), "192.0.2.1:81 [2001:db8::1]:81");
  EXPECT_EQ(backend.lookups, 1);
  run(wait(40ms));
  run(ask(resolver, "example.com"));
  EXPECT_EQ(backend.lookups, 2);
  resolver.clear_cache();
  run(ask(resolver, "example.com"));
  EXPECT_EQ(backend.lookups, 3);
}

TEST_F(ResolverTest, TheCacheIsBounded) {
  Resolver resolver(backend, {.cache_ttl = 1h, .cache_entries = 2});
  for (const char* const host : {"a.example", "b.example", "c.example"}) run(ask(resolver, host));
  EXPECT_EQ(backend.lookups, 3);
  run(ask(resolver, "c.example"));
  EXPECT_EQ(backend.lookups, 3);
}

TEST_F(ResolverTest, OnlyLastingFailuresAreRemembered) {
  Resolver resolver(backend, {.cache_ttl = 1h, .negative_cache_ttl = 1h});
  backend.error = ResolveError::try_again;
  run(ask(resolver, "example.com"));
  backend.error = ResolveError::host_not_found;
  run(ask(resolver, "example.com"));
  EXPECT_EQ(run(ask(resolver, "example.com")), text_of(ResolveError::host_not_found));
  EXPECT_EQ(backend.lookups, 2);
}

TEST_F(ResolverTest, TheMostSpecificOverrideCounts) {
  Resolver resolver(backend);
  resolver.add_override({.host = "Example.com", .to_host = "10.0.0.1"});
  resolver.add_override({.host = "example.com", .port = 443, .to_host = "10.0.0.2"});
  resolver.add_override({.host = "example.com",
                         .port = 443,
                         .family = Family::ipv6,
                         .to_host = "2001:db8::9",
                         .to_port = 8443});
  EXPECT_EQ(run(ask(resolver, "EXAMPLE.com", 80)), "10.0.0.1:80");
  EXPECT_EQ(run(ask(resolver, "example.com", 443)), "10.0.0.2:443");
  EXPECT_EQ(run(ask(resolver, "example.com", 443, Family::ipv6)), "[2001:db8::9]:8443");
  EXPECT_EQ(backend.lookups, 0);
  resolver.add_override({.host = "example.com", .to_host = "other.example"});
  run(ask(resolver, "example.com", 80));
  EXPECT_EQ(backend.asked, std::vector<std::string>{"other.example"});
  resolver.clear_overrides();
  run(ask(resolver, "example.com", 443));
  EXPECT_EQ(backend.asked.back(), "example.com");
  EXPECT_THROW(resolver.add_override({.host = "example.com", .to_host = ""}), UsageError);
}

TEST(Resolver, LocalhostIsFoundByTheSystem) {
  Resolver resolver;
  EXPECT_EQ(run(ask(resolver, "localhost", 80, Family::ipv4)), "127.0.0.1:80");
}

TEST(Resolver, TheCurrentOneMayBeReplaced) {
  Resolver::use({.cache_ttl = 60s});
  EXPECT_EQ(run(ask(Resolver::current(), "127.0.0.1")), "127.0.0.1:80");
  Resolver::use({});
}

/// A name server for two questions, over UDP.
class NameServer {
 public:
  NameServer() : socket_(UDPSocket::bind(SocketAddress::parse("127.0.0.1", 0))) {
    task_.start(serve(this));
  }
  ~NameServer() { task_.cancel(); }
  std::string address() const { return socket_.local_address().to_string(); }
  bool answers = true;
  int questions = 0;

 private:
  static Task<std::string> serve(NameServer* self) {
    std::string buffer(1500, '\0');
    for (;;) {
      const auto got = co_await self->socket_.receive_from(buffer);
      if (!got) co_return got.error().message();
      ++self->questions;
      if (!self->answers) continue;
      const std::string answer = self->answer_to(buffer.substr(0, got->bytes));
      const auto sent = co_await self->socket_.send_to(answer, got->peer);
      static_cast<void>(sent);
    }
  }
  // RFC 1035 §4: the question comes back with NXDOMAIN, nothing, or one address.
  static std::string answer_to(const std::string& question) {
    std::size_t end = 12;
    while (question[end] != '\0') end += static_cast<unsigned char>(question[end]) + 1U;
    end += 5;
    const char type = question[end - 3];
    const bool known = question.find("known") == 13;
    const bool has_it = known && type == 1;
    std::string answer = question.substr(0, end);
    answer[2] = static_cast<char>(0x84);  // an authoritative answer
    answer[3] = known ? '\0' : '\3';
    answer[7] = has_it ? '\1' : '\0';
    answer[9] = answer[11] = '\0';
    if (has_it) {
      answer += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\7", 16);
    }
    return answer;
  }
  UDPSocket socket_;
  BackgroundTask task_;
};

class CaresResolver : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Resolver::has_cares()) {
      EXPECT_THROW(Resolver({.backend = ResolverOptions::Backend::cares}), UsageError);
      GTEST_SKIP() << "this build has no c-ares";
    }
    address = server.address();
  }
  NameServer server;
  std::string address;
};

TEST_F(CaresResolver, AsksItsNameServer) {
  Resolver resolver({.backend = ResolverOptions::Backend::cares, .servers = address});
  EXPECT_EQ(run(ask(resolver, "known.example", 443)), "192.0.2.7:443");
  EXPECT_GT(server.questions, 0);
  EXPECT_EQ(run(ask(resolver, "known.example", 443, Family::ipv6)),
            text_of(ResolveError::no_address));
  EXPECT_EQ(run(ask(resolver, "unheard-of.example")), text_of(ResolveError::host_not_found));
}

TEST_F(CaresResolver, GivesUpOnANameServerThatIsSilent) {
  server.answers = false;
  Resolver resolver(
      {.backend = ResolverOptions::Backend::cares, .servers = address, .attempt_timeout = 10ms});
  EXPECT_EQ(run(ask(resolver, "known.example")), text_of(ResolveError::try_again));
  EXPECT_GT(server.questions, 1) << "it was asked once only";
}

TEST_F(CaresResolver, MayEndWithQuestionsUnderWay) {
  server.answers = false;
  BackgroundTask first;
  BackgroundTask second;
  {
    Resolver resolver({.backend = ResolverOptions::Backend::cares, .servers = address});
    first.start(ask(resolver, "known.example"));
    second.start(ask(resolver, "other.example"));
    loop::run_until([&] { return server.questions > 1; });
    second.cancel();
  }
  EXPECT_EQ(first.finish(), text_of(ResolveError::closed));
}

TEST_F(CaresResolver, FindsLocalhost) {
  Resolver resolver({.backend = ResolverOptions::Backend::cares});
  EXPECT_EQ(run(ask(resolver, "localhost", 80, Family::ipv4)), "127.0.0.1:80");
}

TEST_F(CaresResolver, RefusesServersThatAreNone) {
  EXPECT_THROW(Resolver({.backend = ResolverOptions::Backend::cares, .servers = "not an address"}),
               UsageError);
}

}  // namespace
}  // namespace squall::net
