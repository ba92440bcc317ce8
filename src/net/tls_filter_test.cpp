// SPDX-License-Identifier: Apache-2.0
#include "net/tls_filter.hpp"

#include "loop/read_ahead.hpp"
#include "net/tls_testing.hpp"
#include "net/tls_turn.hpp"

#include <squall/net/tls_error.hpp>

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <list>
#include <vector>

namespace squall::net {
namespace {

using namespace std::chrono_literals;

/// Each test with TLS 1.2 and 1.3.
class TLSVersions : public TLSTest, public ::testing::WithParamInterface<TLSVersion> {
 protected:
  TLSVersions() {
    use_client({});
    if (GetParam() == TLSVersion::tls1_2) limit_client();
  }
};

INSTANTIATE_TEST_SUITE_P(TLS, TLSVersions,
                         ::testing::Values(TLSVersion::tls1_2, TLSVersion::tls1_3),
                         [](const auto& version) {
                           return version.param == TLSVersion::tls1_2 ? "v1_2" : "v1_3";
                         });

TEST_P(TLSVersions, CarriesBytesBothWays) {
  connect();
  ASSERT_TRUE(server->done && client->done) << client->reason << server->reason;
  const bool is_1_3 = GetParam() == TLSVersion::tls1_3;
  EXPECT_EQ(server->info.version, is_1_3 ? "TLSv1.3" : "TLSv1.2");
  EXPECT_EQ(server->info.cipher, client->info.cipher);
  EXPECT_EQ(server->info.server_name, "example.com");
  EXPECT_FALSE(server->info.session_reused);
  EXPECT_EQ(client->info.peer_names, (std::vector<std::string>{"DNS:example.com", "IP:192.0.2.1"}));
  EXPECT_EQ(client->info.peer_fingerprint.size(), 64U);
  EXPECT_EQ(client->info.peer_subject, "CN=Subject");
  client->stream->write("question");
  run_until([&] { return server->received == "question"; });
  server->stream->write("answer");
  run_until([&] { return client->received == "answer"; });
}

TEST_P(TLSVersions, CarriesMegabytesWhateverTheyAreMadeOf) {
  connect();
  std::string all;
  const auto piece = [&all](std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i * 7 + size));
    all += bytes;
    return bytes;
  };
  const std::string file_bytes = piece(300'000);
  UniqueFd file(::open(authority.write("file", file_bytes).c_str(), O_RDONLY | O_CLOEXEC));
  server->stream->write_file(std::move(file), 0, file_bytes.size());
  for (std::size_t size = 1; size < 3000; size += 37) server->stream->write(piece(size));
  server->stream->write_owned(piece(2'000'001));
  server->stream->write(piece(100));
  server->stream->write_owned(piece(16'384));
  server->stream->write(piece(16'385));
  run_until([&] { return client->received.size() >= all.size(); });
  EXPECT_EQ(client->received, all);
  client->stream->write_owned(std::string(all));
  run_until([&] { return server->received.size() >= all.size(); });
  EXPECT_EQ(server->received, all);
  EXPECT_EQ(server->stream->pending_bytes(), 0U);
}

TEST_P(TLSVersions, AFileThatIsNotInMemoryArrivesWhole) {
  connect();
  static int probes;
  probes = 0;
  loop::set_residency_probe([](int, off_t, std::size_t) -> std::size_t {
    ++probes;
    return 0;
  });
  std::string bytes;
  for (std::size_t i = 0; i < 1'500'000; ++i) bytes.push_back(static_cast<char>(i * 7 + (i >> 9)));
  UniqueFd file(::open(authority.write("file", bytes).c_str(), O_RDONLY | O_CLOEXEC));
  server->stream->write("<");
  server->stream->write_file(std::move(file), 0, bytes.size());
  server->stream->write(">");
  run_until([&] { return client->received.size() >= bytes.size() + 2; });
  loop::set_residency_probe(nullptr);
  EXPECT_TRUE(client->received == "<" + bytes + ">");
  EXPECT_EQ(probes, 2) << "once a window of 1 MiB";
}

TEST_P(TLSVersions, DeliversManyRecordsAtOnce) {
  connect();
  client->stream->write_owned(std::string(60'000, 'r'));
  run_until([&] { return server->received.size() == 60'000; });
  EXPECT_LT(server->deliveries, 4);  // as many as records, if each came alone
}

TEST_P(TLSVersions, HoldsWhatComesWhileReceivingIsPaused) {
  connect();
  server->stream->pause_receiving();
  client->stream->write("held");
  client->stream->shutdown_write();
  for (int turns = 0; turns < 5; ++turns) {
    run_until([&, looked = 0]() mutable { return ++looked > 1; });
  }
  EXPECT_EQ(server->received, "");
  EXPECT_FALSE(server->saw_eof);
  server->stream->resume_receiving();
  run_until([&] { return server->saw_eof; });
  EXPECT_EQ(server->received, "held");
}

TEST_P(TLSVersions, TellsTheEndFromACut) {
  connect();
  client->stream->write("last words");
  client->close();
  run_until([&] { return server->saw_eof; });
  EXPECT_EQ(server->received, "last words");
  EXPECT_FALSE(server->broken);
  server->close();
  reset();

  connect();
  client->stream->write("cut off");
  run_until([&] { return server->received == "cut off"; });
  ::shutdown(client->stream->native_handle(), SHUT_RDWR);
  run_until([&] { return server->broken.has_value(); });
  EXPECT_EQ(*server->broken, TLSError::truncated);
  EXPECT_FALSE(server->saw_eof);
}

TEST_P(TLSVersions, ClosesOneDirectionOnly) {
  connect();
  client->stream->write("request");
  client->stream->shutdown_write();
  run_until([&] { return server->saw_eof; });
  server->stream->write("response");
  server->close();
  run_until([&] { return client->saw_eof; });
  EXPECT_EQ(client->received, "response");
}

TEST_P(TLSVersions, WhatIsWrittenBeforeTheHandshakeWaitsForIt) {
  start();
  client->stream->write("early");
  server->stream->write("bird");
  run_until([&] { return server->received == "early" && client->received == "bird"; });
}

TEST_P(TLSVersions, ResumesSessions) {
  for (const bool resumed : {false, true, true}) {
    connect();
    ASSERT_TRUE(client->done) << client->reason;
    EXPECT_EQ(client->info.session_reused, resumed);
    EXPECT_EQ(server->info.session_reused, resumed);
    finish();
  }
  // Another host's ticket is not shown.
  connect({.server_name = "192.0.2.1"});
  EXPECT_FALSE(client->info.session_reused);
}

TEST_P(TLSVersions, DoesNotResumeWithoutTickets) {
  use_server({.session_tickets = false});
  for (int i = 0; i < 2; ++i) {
    connect();
    EXPECT_TRUE(client->done) << client->reason;
    EXPECT_FALSE(client->info.session_reused);
    finish();
  }
}

TEST_P(TLSVersions, VerifiesTheServersName) {
  connect({.server_name = "example.org"});
  ASSERT_TRUE(client->broken);
  EXPECT_EQ(*client->broken, TLSError::hostname_mismatch);
  EXPECT_EQ(client->reason, "hostname mismatch");
  EXPECT_EQ(*server->broken, TLSError::certificate_refused);
  EXPECT_FALSE(client->done || server->done);
  reset();
  connect({.server_name = "EXAMPLE.com."});
  EXPECT_TRUE(client->done) << client->reason;
  reset();
  connect({.server_name = "192.0.2.1"});
  EXPECT_TRUE(client->done) << client->reason;
  EXPECT_EQ(server->info.server_name, "");  // RFC 6066 §3
  reset();
  connect({.server_name = "192.0.2.2"});
  EXPECT_EQ(*client->broken, TLSError::hostname_mismatch);
}

TEST_P(TLSVersions, VerifiesTheServersCertificate) {
  const TestAuthority other;
  use_client({.ca_file = other.file});
  connect();
  EXPECT_EQ(*client->broken, TLSError::certificate_untrusted);
  reset();

  files = authority.issue({.names = "DNS:example.com", .first_day = -9, .last_day = -1});
  use_server({.certificate_file = files.certificate, .key_file = files.key});
  use_client({});
  connect();
  EXPECT_EQ(*client->broken, TLSError::certificate_expired);
  reset();

  files = authority.issue({.names = "DNS:example.com", .usage = "clientAuth"});
  use_server({.certificate_file = files.certificate, .key_file = files.key});
  connect();
  EXPECT_EQ(*client->broken, TLSError::certificate_invalid);
  reset();

  use_client({.verify = false});
  connect({.server_name = "anybody"});
  EXPECT_TRUE(client->done) << client->reason;
}

TEST_P(TLSVersions, AsksClientsForCertificates) {
  const auto own =
      authority.issue({.names = "email:alice@example.com", .usage = "clientAuth"}, "client");
  const auto server_files = authority.issue({.names = "DNS:example.com"});
  TLSServerOptions options{.certificate_file = server_files.certificate,
                           .key_file = server_files.key,
                           .client_certificate = ClientCertificate::optional,
                           .client_ca_file = authority.file};
  use_server(options);
  connect();
  EXPECT_TRUE(server->done) << server->reason;
  EXPECT_FALSE(server->info.has_peer_certificate);
  reset();

  options.client_certificate = ClientCertificate::required;
  use_server(options);
  start();
  run_until([&] { return server->is_settled() && client->broken; });
  EXPECT_EQ(*server->broken, TLSError::certificate_required);
  EXPECT_EQ(*client->broken, GetParam() == TLSVersion::tls1_3 ? TLSError::certificate_refused
                                                              : TLSError::no_shared_cipher);
  reset();

  use_client({.certificate_file = own.certificate, .key_file = own.key});
  if (GetParam() == TLSVersion::tls1_2) limit_client();
  for (const bool resumed : {false, true}) {
    connect();
    ASSERT_TRUE(server->done) << server->reason;
    EXPECT_EQ(server->info.session_reused, resumed);
    EXPECT_EQ(server->info.peer_names, (std::vector<std::string>{"email:alice@example.com"}));
    EXPECT_EQ(server->info.peer_issuer, "CN=Test authority");
    finish();
  }

  TestAuthority other;
  const auto stranger = other.issue({.names = "email:mallory@example.com", .usage = "clientAuth"});
  use_client({.certificate_file = stranger.certificate, .key_file = stranger.key});
  start();
  run_until([&] { return server->is_settled(); });
  EXPECT_EQ(*server->broken, TLSError::certificate_untrusted);
}

TEST_P(TLSVersions, ChoosesAProtocolInTheServersOrder) {
  const auto issued = authority.issue({.names = "DNS:example.com"});
  use_server(
      {.certificate_file = issued.certificate, .key_file = issued.key, .alpn = "h2,http/1.1"});
  connect({.server_name = "example.com", .alpn = "http/1.1,h2"});
  EXPECT_EQ(server->info.alpn, "h2");
  EXPECT_EQ(client->info.alpn, "h2");
  reset();
  connect({.server_name = "example.com", .alpn = "smtp"});
  EXPECT_EQ(*server->broken, TLSError::no_shared_protocol);
  EXPECT_EQ(*client->broken, TLSError::no_shared_protocol);
  reset();
  connect();
  EXPECT_TRUE(client->done);
  EXPECT_EQ(server->info.alpn, "");
}

TEST_P(TLSVersions, StaplesOCSPResponses) {
  const auto issued = authority.issue({.names = "DNS:example.com"});
  const auto serve = [&](const std::string& staple) {
    use_server(
        {.certificate_file = issued.certificate, .key_file = issued.key, .ocsp_file = staple});
  };
  use_client({.require_ocsp = true});
  if (GetParam() == TLSVersion::tls1_2) limit_client();
  serve(authority.staple());
  connect();
  EXPECT_TRUE(client->done) << client->reason;
  EXPECT_FALSE(client->filter->ocsp_response().empty());
  finish();
  connect();  // resumed: vouched for before
  EXPECT_TRUE(client->done) << client->reason;
  reset();

  const auto refused_with = [&](TLSError error) {
    use_client({.require_ocsp = true});
    if (GetParam() == TLSVersion::tls1_2) limit_client();
    connect();
    EXPECT_EQ(client->broken.value_or(std::error_code()), error) << client->reason;
    reset();
  };
  serve(authority.staple(V_OCSP_CERTSTATUS_REVOKED));
  refused_with(TLSError::certificate_revoked);
  serve(authority.staple(V_OCSP_CERTSTATUS_GOOD, -8, -1));  // expired: not stapled
  refused_with(TLSError::ocsp_missing);
  serve("");
  refused_with(TLSError::ocsp_missing);
  use_client({.request_ocsp = true});
  connect();
  EXPECT_TRUE(client->done) << client->reason;
}

TEST_F(TLSTest, ChoosesTheCertificateByName) {
  TLSServerOptions options;
  const auto first = authority.issue({.names = "DNS:first.example"}, "first");
  const auto exact = authority.issue({.names = "DNS:a.wild.example"}, "exact");
  const auto wild = authority.issue({.names = "DNS:*.wild.example", .rsa = true}, "wild");
  options.certificate_file = first.certificate;
  options.key_file = first.key;
  use_server(options);
  server_context.add_certificate({.certificate_file = wild.certificate, .key_file = wild.key});
  server_context.add_certificate({.certificate_file = exact.certificate, .key_file = exact.key});
  use_client({.verify = false});
  const auto names_for = [&](std::string_view name) {
    connect({.server_name = name});
    auto names = client->done ? client->info.peer_names : std::vector<std::string>{"none"};
    reset();
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names_for("first.example"), Names{"DNS:first.example"});
  EXPECT_EQ(names_for("b.wild.example"), Names{"DNS:*.wild.example"});
  EXPECT_EQ(names_for("B.WILD.example"), Names{"DNS:*.wild.example"});
  EXPECT_EQ(names_for("a.wild.example"), Names{"DNS:a.wild.example"});
  EXPECT_EQ(names_for("b.a.wild.example"), Names{"DNS:first.example"});
  EXPECT_EQ(names_for("wild.example"), Names{"DNS:first.example"});
  EXPECT_EQ(names_for(""), Names{"DNS:first.example"});

  options.refuse_unknown_names = true;
  use_server(options);
  EXPECT_EQ(names_for("first.example"), Names{"DNS:first.example"});
  connect({.server_name = "unknown.example"});
  EXPECT_EQ(*client->broken, TLSError::unrecognized_name);
  EXPECT_EQ(*server->broken, TLSError::unrecognized_name);
}

TEST_F(TLSTest, ServesTheKeyThatAClientUnderstands) {
  const auto ec = authority.issue({.names = "DNS:example.com"}, "ec");
  const auto rsa = authority.issue({.names = "DNS:example.com", .rsa = true}, "rsa");
  use_server({.certificate_file = ec.certificate, .key_file = ec.key});
  server_context.add_certificate({.certificate_file = rsa.certificate, .key_file = rsa.key});
  for (const std::string_view kind : {"ECDSA", "RSA"}) {
    const std::string cipher = "ECDHE-" + std::string(kind) + "-AES128-GCM-SHA256";
    use_client({.ciphers = cipher});
    limit_client();
    connect();
    EXPECT_TRUE(client->done) << client->reason;
    EXPECT_EQ(client->info.cipher, cipher);
    reset();
  }
}

TEST_F(TLSTest, EndsAHandshakeThatTakesTooLong) {
  const auto issued = authority.issue({.names = "DNS:example.com"});
  use_server(
      {.certificate_file = issued.certificate, .key_file = issued.key, .handshake_timeout = 20ms});
  const UniqueFd peer = start_server();
  run_until([&] { return server->broken.has_value(); });
  EXPECT_EQ(*server->broken, TLSError::handshake_timeout);
}

TEST_F(TLSTest, SpreadsHandshakesOverTurns) {
  loop::LoopCore& core = loop::LoopCore::current();
  struct Pair {
    TLSEnd server;
    TLSEnd client;
  };
  use_server({});
  use_client({.resume_sessions = false});
  std::list<Pair> pairs;
  constexpr std::size_t count = limits::tls_handshakes_per_turn * 4 + 1;
  for (std::size_t i = 0; i < count; ++i) {
    Pair& pair = pairs.emplace_back();
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    pair.server.adopt(UniqueFd(ends[0]));
    pair.client.adopt(UniqueFd(ends[1]));
    TLSFilter::start_server(*pair.server.stream, server_context, &pair.server);
    TLSFilter::start_client(*pair.client.stream, client_context, {.server_name = "example.com"},
                            &pair.client);
  }
  const std::uint64_t before = core.turn();
  pairs.back().server.stream->abort();  // one leaves while it waits
  pairs.back().server.stream = nullptr;
  run_until([&] {
    return std::all_of(pairs.begin(), pairs.end(), [](const Pair& pair) {
      return pair.client.is_settled() && (pair.server.done || pair.server.stream == nullptr);
    });
  });
  EXPECT_GE(core.turn() - before, 4U);
  const auto done =
      std::count_if(pairs.begin(), pairs.end(), [](const Pair& pair) { return pair.client.done; });
  EXPECT_EQ(static_cast<std::size_t>(done), count - 1);
}

TEST_F(TLSTest, AServerThatIsGoneDuringTheHandshakeIsNotCalled) {
  start();
  server->close();
  run_until([&] { return client->broken.has_value(); });
  EXPECT_FALSE(server->done || client->done);
}

}  // namespace
}  // namespace squall::net
