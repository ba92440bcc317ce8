// SPDX-License-Identifier: Apache-2.0
#include "net/tls_session_cache.hpp"
#include "net/tls_testing.hpp"
#include "net/tls_tickets.hpp"

#include <squall/base/error.hpp>
#include <squall/net/tls.hpp>

#include <atomic>
#include <cstring>
#include <thread>

namespace squall::net {
namespace {

std::string error_of(const std::function<void()>& function) {
  try {
    function();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

class TLSContextTest : public TLSTest {};

TEST_F(TLSContextTest, ReadsItsFilesAgain) {
  files = authority.issue({.names = "DNS:example.com,DNS:one.example"});
  const TLSServerOptions options{.certificate_file = files.certificate, .key_file = files.key};
  use_server(options);
  connect();
  EXPECT_EQ(client->info.peer_names.back(), "DNS:one.example");
  authority.issue({.names = "DNS:example.com,DNS:two.example"});
  server_context.reload();
  client->stream->write("the old connection goes on");
  run_until([&] { return !server->received.empty(); });
  reset();
  use_client({});
  connect();
  EXPECT_EQ(client->info.peer_names.back(), "DNS:two.example");
  reset();

  authority.write("server.pem", "no certificate");
  EXPECT_NE(error_of([&] { server_context.reload(); }).find("server.pem"), std::string::npos);
  use_client({});
  connect();
  EXPECT_EQ(client->info.peer_names.back(), "DNS:two.example") << "the old ones stay";
}

TEST_F(TLSContextTest, SaysWhichFileIsBad) {
  files = authority.issue({.names = "DNS:example.com"});
  const auto other = authority.issue({.names = "DNS:example.com"}, "other");
  const std::string junk = authority.write("junk.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
  const auto tried = [](const TLSServerOptions& options) {
    return error_of([&] { static_cast<void>(TLSContext::server(options)); });
  };
  EXPECT_EQ(tried({.certificate_file = "/nowhere/cert.pem"}),
            "cannot read /nowhere/cert.pem: No such file or directory");
  EXPECT_NE(tried({.certificate_file = junk}).find("no certificate in " + junk), std::string::npos);
  EXPECT_NE(tried({.certificate_file = files.certificate, .key_file = other.key})
                .find("is not that of " + files.certificate),
            std::string::npos);
  EXPECT_NE(tried({.certificate_file = files.certificate}).find("no private key"),
            std::string::npos);
  EXPECT_NE(tried({.certificate_file = files.certificate, .key_file = files.key, .ocsp_file = junk})
                .find("no OCSP response in " + junk),
            std::string::npos);
  EXPECT_NE(
      tried({.certificate_file = files.certificate, .key_file = files.key, .ciphers = "NONSENSE"})
          .find("NONSENSE"),
      std::string::npos);
  EXPECT_NE(tried({.certificate_file = files.certificate,
                   .key_file = files.key,
                   .client_certificate = ClientCertificate::required})
                .find("client_ca_file"),
            std::string::npos);
}

TEST_F(TLSContextTest, RefusesMisuse) {
  use_server({});
  use_client({});
  EXPECT_THROW(client_context.add_certificate({}), UsageError);
  EXPECT_THROW(TLSContext().reload(), UsageError);
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd peer(ends[1]);
  server->adopt(UniqueFd(ends[0]));
  EXPECT_THROW(TLSFilter::start_server(*server->stream, client_context, nullptr), UsageError);
  EXPECT_THROW(TLSFilter::start_client(*server->stream, server_context, {}, nullptr), UsageError);
  EXPECT_THROW(TLSFilter::start_client(*server->stream, client_context, {}, nullptr), UsageError);
}

TEST_F(TLSContextTest, WritesSecretsToAKeyLog) {
  const std::string log = authority.write("keys.log", "");
  files = authority.issue({.names = "DNS:example.com"});
  use_server({.certificate_file = files.certificate, .key_file = files.key, .key_log_file = log});
  connect();
  std::ifstream in(log);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_NE(text.find("SERVER_TRAFFIC_SECRET_0 "), std::string::npos);
  EXPECT_NE(text.find("CLIENT_TRAFFIC_SECRET_0 "), std::string::npos);
}

TEST_F(TLSContextTest, MayBeReloadedWhileThreadsUseIt) {
  use_server({});
  const TLSContext context = server_context;
  std::atomic<bool> ended{false};
  std::thread reloads([&] {
    while (!ended) context.reload();
  });
  for (int i = 0; i < 20; ++i) {
    connect();
    EXPECT_TRUE(client->done) << client->reason;
    finish();
  }
  ended = true;
  reloads.join();
}

TEST(TicketKeys, AreReplacedAndKeptAsLongAsTheirTickets) {
  constexpr std::uint64_t hour = 3'600'000'000'000;
  TicketKeys keys(Duration::from_seconds(6 * 3600), Duration::from_seconds(12 * 3600));
  TicketKeys::Key first;
  TicketKeys::Key later;
  ASSERT_TRUE(keys.current(hour, first));
  ASSERT_TRUE(keys.current(7 * hour, later));
  EXPECT_EQ(first.name, later.name);
  ASSERT_TRUE(keys.current(7 * hour + 1, later));
  EXPECT_NE(first.name, later.name);
  EXPECT_EQ(keys.find(later.name.data(), 8 * hour, later), TicketKeys::Found::current);
  EXPECT_EQ(keys.find(first.name.data(), 19 * hour, first), TicketKeys::Found::old);
  EXPECT_EQ(keys.find(first.name.data(), 19 * hour + 1, first), TicketKeys::Found::no);
  keys.forget();
  EXPECT_EQ(keys.find(later.name.data(), 8 * hour, later), TicketKeys::Found::no);
  EXPECT_EQ(keys.size(), 0U);
}

TEST(TLSSessionCache, ForgetsTheHostsNotUsedForLongest) {
  TLSSessionCache cache(2);
  const auto put = [&cache](std::string_view key) {
    cache.put(key, SessionPtr(SSL_SESSION_new()));
  };
  put("a");
  put("b");
  EXPECT_TRUE(cache.take("a"));
  EXPECT_FALSE(cache.take("a")) << "each ticket is used once";
  put("a");
  put("c");
  EXPECT_FALSE(cache.take("b"));
  for (int i = 0; i < 10; ++i) put("c");
  int of_c = 0;
  while (cache.take("c")) ++of_c;
  EXPECT_EQ(of_c, 4);
  EXPECT_TRUE(cache.take("a"));
  EXPECT_EQ(cache.host_count(), 0U);
}

}  // namespace
}  // namespace squall::net
