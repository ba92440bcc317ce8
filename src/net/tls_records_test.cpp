// SPDX-License-Identifier: Apache-2.0
#include "net/tls_records.hpp"

#include "net/tls_testing.hpp"

#include <squall/net/tls_error.hpp>

#include <unistd.h>
#include <vector>

namespace squall::net {
namespace {

struct Choice {
  const char* cipher;
  bool is_1_3;
  const char* name;
};

class TLSCiphers : public TLSTest, public ::testing::WithParamInterface<Choice> {};

// Those with CCM are left to OpenSSL's record layer.
INSTANTIATE_TEST_SUITE_P(
    TLS, TLSCiphers,
    ::testing::Values(Choice{"TLS_AES_128_GCM_SHA256", true, "Aes128In13"},
                      Choice{"TLS_AES_256_GCM_SHA384", true, "Aes256In13"},
                      Choice{"TLS_CHACHA20_POLY1305_SHA256", true, "ChaCha20In13"},
                      Choice{"TLS_AES_128_CCM_SHA256", true, "Ccm128In13"},
                      Choice{"ECDHE-ECDSA-AES128-GCM-SHA256", false, "Aes128In12"},
                      Choice{"ECDHE-ECDSA-AES256-GCM-SHA384", false, "Aes256In12"},
                      Choice{"ECDHE-ECDSA-CHACHA20-POLY1305", false, "ChaCha20In12"},
                      Choice{"ECDHE-ECDSA-AES128-CCM", false, "Ccm128In12"}),
    [](const auto& choice) { return choice.param.name; });

TEST_P(TLSCiphers, CarryBytesBothWays) {
  const auto [cipher, is_1_3, name] = GetParam();
  const std::string_view ciphers = is_1_3 ? "" : cipher;
  const std::string_view suites = is_1_3 ? cipher : "";
  files = authority.issue({.names = "DNS:example.com"});
  use_server({.certificate_file = files.certificate,
              .key_file = files.key,
              .ciphers = ciphers,
              .cipher_suites = suites});
  use_client({.ciphers = ciphers, .cipher_suites = suites});
  if (!is_1_3) limit_client();
  for (const bool resumed : {false, true}) {
    connect();
    ASSERT_TRUE(client->done && server->done) << client->reason << server->reason;
    EXPECT_EQ(server->info.cipher, cipher);
    EXPECT_EQ(server->info.session_reused, resumed);
    std::string all;
    for (const std::size_t size : {1U, 15U, 16U, 17U, 16'383U, 16'384U, 16'385U, 100'000U}) {
      all.append(size, static_cast<char>('a' + size % 26));
      client->stream->write(std::string_view(all).substr(all.size() - size));
      server->stream->write(std::string_view(all).substr(all.size() - size));
      run_until([&] {
        return server->received.size() == all.size() && client->received.size() == all.size();
      });
      ASSERT_EQ(server->received, all);
      ASSERT_EQ(client->received, all);
    }
    finish();
  }
}

TEST_F(TLSTest, TwoConnectionsDoNotMixTheirKeys) {
  connect();
  auto first_server = std::exchange(server, std::make_unique<TLSEnd>());
  auto first_client = std::exchange(client, std::make_unique<TLSEnd>());
  connect();
  for (int i = 0; i < 20; ++i) {
    first_client->stream->write("one");
    client->stream->write("two");
    first_server->stream->write("eins");
    server->stream->write("zwei");
    const auto times = static_cast<std::size_t>(i) + 1;
    run_until([&] {
      return first_server->received.size() == 3 * times && server->received.size() == 3 * times &&
             first_client->received.size() == 4 * times && client->received.size() == 4 * times;
    });
  }
  EXPECT_FALSE(server->broken || client->broken || first_server->broken || first_client->broken);
}

/// A client that has OpenSSL's handshake and then makes records of its own, with the server's code
/// and the two directions exchanged.
class TLSMessages : public TLSTest {
 protected:
  void begin() {
    peer.reset();
    reset();
    peer = start_server();
    raw = std::make_unique<RawTLSClient>();
    forged = std::make_unique<TLSRecords>();
    TLSSecrets secrets;
    SSL_set_app_data(raw->ssl, reinterpret_cast<char*>(&secrets));
    SSL_CTX_set_keylog_callback(SSL_get_SSL_CTX(raw->ssl), [](const SSL* ssl, const char* line) {
      // The other way around: what the server reads with is what is written with here.
      std::string text = line;
      if (text.starts_with("CLIENT_T") || text.starts_with("SERVER_T")) {
        text.replace(0, 6, text.starts_with("CLIENT") ? "SERVER" : "CLIENT");
      }
      reinterpret_cast<TLSSecrets*>(SSL_get_app_data(ssl))->take(text);
    });
    send(raw->step());
    while (!raw->is_done()) {
      std::string bytes;
      run_until([&] {
        bytes = read_all(peer.get());
        return !bytes.empty();
      });
      send(raw->step(bytes));
    }
    run_until([&] { return server->done; });
    ASSERT_TRUE(forged->take_over(raw->ssl, secrets, 0));
  }
  void send(std::string_view bytes) {
    ASSERT_GE(::write(peer.get(), bytes.data(), bytes.size()), 0);
  }
  void send(TLSContent type, std::string_view bytes) {
    loop::BlockPool blocks;
    loop::OutputQueue wire;
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    ASSERT_TRUE(forged->seal(wire, blocks, type, {&part, 1}, bytes.size()));
    send(std::string_view(wire.front()->data, wire.front()->size));
    wire.clear(blocks);
  }
  std::error_code after(TLSContent type, std::string_view bytes) {
    begin();
    send(type, bytes);
    send(TLSContent::application_data, "after it");
    run_until([&] {
      return server->broken || server->saw_eof || server->received.ends_with("after it");
    });
    return server->broken.value_or(std::error_code());
  }

  UniqueFd peer;
  std::unique_ptr<RawTLSClient> raw;
  std::unique_ptr<TLSRecords> forged;
};

TEST_F(TLSMessages, WhatTLSDoesNotAllowHereIsRefused) {
  using namespace std::string_view_literals;
  using enum TLSContent;
  EXPECT_EQ(after(application_data, "before"), std::error_code());
  EXPECT_EQ(after(application_data, ""), std::error_code());
  EXPECT_EQ(after(alert, "\2\x28"sv), TLSError::peer_alert);
  EXPECT_EQ(after(alert, "\1\x28"sv), TLSError::peer_alert) << "RFC 8446 §6: whatever its level";
  EXPECT_EQ(after(alert, "\1\x5a"sv), std::error_code()) << "user_canceled";
  EXPECT_EQ(after(alert, "\1\0"sv), std::error_code());
  EXPECT_TRUE(server->saw_eof);
  EXPECT_EQ(server->received, "") << "nothing counts after close_notify";
  for (const std::string_view bad : {""sv, "\2"sv, "\1\0\0"sv}) {
    EXPECT_EQ(after(alert, bad), TLSError::protocol_violation);
  }
  for (const std::string_view bad :
       {""sv, "\x18"sv, "\x18\0\0\1\2"sv, "\x18\0\0\1\0\x18\0\0\1\0"sv, "\x18\0\0\2\0"sv,
        "\4\0\0\0"sv, "\1\0\0\0"sv, "\0\0\0\0"sv, "\x0b\0\0\4\0\0\0\0"sv}) {
    EXPECT_EQ(after(handshake, bad), TLSError::protocol_violation);
  }
  EXPECT_EQ(after(static_cast<TLSContent>(20), "\1"), TLSError::protocol_violation);
  EXPECT_EQ(after(static_cast<TLSContent>(24), "heartbeat"), TLSError::protocol_violation);
  EXPECT_EQ(after(static_cast<TLSContent>(0), ""), TLSError::protocol_violation);
}

TEST_F(TLSMessages, RecordsWithoutDataAreLimited) {
  begin();
  for (int i = 0; i < 40; ++i) send(TLSContent::application_data, "");
  run_until([&] { return server->broken.has_value(); });
  EXPECT_EQ(*server->broken, TLSError::protocol_violation);
  EXPECT_EQ(server->received, "");
}

TEST_F(TLSMessages, ARecordIsNotTakenTwice) {
  begin();
  loop::BlockPool blocks;
  loop::OutputQueue wire;
  const iovec part{const_cast<char*>("pay"), 3};
  ASSERT_TRUE(forged->seal(wire, blocks, TLSContent::application_data, {&part, 1}, 3));
  const std::string record(wire.front()->data, wire.front()->size);
  wire.clear(blocks);
  send(record + record);
  run_until([&] { return server->broken.has_value(); });
  EXPECT_EQ(*server->broken, TLSError::bad_record);
  EXPECT_EQ(server->received, "pay");
}

TEST_F(TLSMessages, PaddingIsTakenOff) {
  begin();
  SSL_set_block_padding(raw->ssl, 1024);
  send(raw->write("padded"));
  run_until([&] { return server->received == "padded"; });
}

TEST_F(TLSMessages, ShortRecordsAreMadeForWhoWantsThem) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    peer.reset();
    reset();
    peer = start_server();
    raw = std::make_unique<RawTLSClient>(version);
    SSL_set_tlsext_max_fragment_length(raw->ssl, TLSEXT_max_fragment_length_512);
    send(raw->step());
    server->stream->write(std::string(5000, 'x'));
    std::string all;
    run_until([&] {
      const std::string bytes = read_all(peer.get());
      if (raw->is_done()) all += bytes;
      send(raw->step(bytes));
      return raw->received.size() == 5000;
    });
    for (std::size_t at = 0; at < all.size();) {
      const auto size = TLSRecords::record_size(std::span(all).subspan(at));
      ASSERT_TRUE(size && *size > 0);
      EXPECT_LE(*size, 512U + 22 + 8);
      at += *size;
    }
  }
}

TEST(TLSRecordSize, IsThatOfTheHeader) {
  const auto size_of = [](std::string_view bytes) { return TLSRecords::record_size(bytes); };
  using namespace std::string_view_literals;
  EXPECT_EQ(size_of(""), std::nullopt);
  EXPECT_EQ(size_of("\x17\3\3\1"sv), std::nullopt);
  EXPECT_EQ(size_of("\x17\3\3\1\2"sv), 5U + 258);
  EXPECT_EQ(size_of("\x17\3\3\x41\0"sv), 5U + 16 * 1024 + 256);
  EXPECT_EQ(size_of("\x17\3\3\x41\1"sv), 0U);
  EXPECT_EQ(size_of("\x18"sv), 0U);
  EXPECT_EQ(size_of("\x17\2"sv), 0U);
}

}  // namespace
}  // namespace squall::net
