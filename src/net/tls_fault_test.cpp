// SPDX-License-Identifier: Apache-2.0
#include "net/tls_filter.hpp"
#include "net/tls_testing.hpp"

#include <squall/net/tls_error.hpp>

#include <openssl/err.h>

#include <algorithm>
#include <fcntl.h>

namespace squall::net {
namespace {

/// A server end whose client is bytes that the test sends as it likes.
class TLSFaults : public TLSTest, public ::testing::WithParamInterface<int> {
 protected:
  TLSFaults() { use_server({}); }

  void begin() {
    peer.reset();
    reset();
    peer = start_server();
    raw = std::make_unique<RawTLSClient>(GetParam());
  }
  void send(std::string_view bytes) {
    ASSERT_EQ(::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void turn() {
    run_until([looked = 0]() mutable { return ++looked > 1; });
  }
  /// The server's next bytes; "" when it has closed.
  std::string answer() {
    std::string bytes;
    bool ended = false;
    run_until([&] {
      bytes += read_all(peer.get(), &ended);
      return !bytes.empty() || ended;
    });
    return bytes;
  }
  void shake_hands() {
    send(raw->step());
    while (!raw->is_done()) {
      const std::string reply = raw->step(answer());
      if (!reply.empty()) send(reply);
    }
    run_until([&] { return server->is_settled(); });
    ASSERT_TRUE(server->done) << server->reason;
    turn();
    raw->step(read_all(peer.get()));
  }
  std::string two_records() {
    std::string records = raw->write("12345");
    records += raw->write("6789");
    return records;
  }

  UniqueFd peer;
  std::unique_ptr<RawTLSClient> raw;
};

INSTANTIATE_TEST_SUITE_P(TLS, TLSFaults, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "v1_2" : "v1_3";
                         });

TEST_P(TLSFaults, AHandshakeMayBeCutAtEveryByte) {
  const std::size_t whole = RawTLSClient(GetParam()).step().size();
  for (std::size_t cut = 0; cut < whole; ++cut) {
    begin();
    send(raw->step().substr(0, cut));
    turn();
    peer.reset();
    run_until([&] { return server->broken.has_value(); });
    EXPECT_EQ(*server->broken, TLSError::closed_in_handshake) << cut;
  }
}

TEST_P(TLSFaults, RecordsMayComeByteByByte) {
  begin();
  std::string next = raw->step();
  while (!raw->is_done()) {
    for (const char byte : next) {
      send({&byte, 1});
      turn();
    }
    next = raw->step(answer());
  }
  next += raw->write("first");
  next += raw->write("second");
  for (const char byte : next) {
    send({&byte, 1});
    turn();
  }
  EXPECT_EQ(server->received, "firstsecond");
}

TEST_P(TLSFaults, TwoRecordsMayBeSplitAtEveryByte) {
  begin();
  shake_hands();
  const std::size_t whole = two_records().size();
  for (std::size_t cut = 1; cut < whole; ++cut) {
    begin();
    shake_hands();
    const std::string records = two_records();
    send(records.substr(0, cut));
    turn();
    send(records.substr(cut));
    run_until([&] { return server->received == "123456789" || server->broken; });
    EXPECT_EQ(server->received, "123456789") << cut;
  }
}

TEST_P(TLSFaults, ABentByteIsNoticed) {
  begin();
  shake_hands();
  const std::size_t whole = raw->write("attack at dawn").size();
  for (std::size_t at = 0; at < whole; ++at) {
    if (at == 3 || at == 4) continue;  // the length: more is waited for
    begin();
    shake_hands();
    std::string record = raw->write("attack at dawn");
    record[at] = static_cast<char>(record[at] ^ 0x20);
    send(record);
    run_until([&] { return server->broken.has_value(); });
    EXPECT_EQ(server->received, "") << at;
    EXPECT_TRUE(*server->broken == TLSError::bad_record ||
                *server->broken == TLSError::protocol_violation ||
                *server->broken == TLSError::not_tls)
        << at << server->broken->message();
    EXPECT_FALSE(answer().empty()) << "no alert";
  }
}

TEST_P(TLSFaults, GarbageIsRefused) {
  const std::string_view garbage[] = {std::string_view("\0\0\0\0\0\0\0\0", 8),
                                      "\x16\x03\x01\xff\xff rest",
                                      std::string_view("\x16\x03\x01\0\x05\x02\0\0\x01\0", 10),
                                      "SSH-2.0-OpenSSH\r\n",
                                      "\x80\x2e\x01\x03\x01 an old greeting of SSL 2",
                                      "\x15\x03\x01"};
  for (const std::string_view bytes : garbage) {
    begin();
    send(bytes);
    turn();
    peer.reset();
    run_until([&] { return server->broken.has_value(); });
    EXPECT_FALSE(server->done);
    EXPECT_EQ(server->broken->category(), tls_category());
  }
}

TEST_P(TLSFaults, PlainHTTPIsKnown) {
  for (const std::string_view request : {"GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\n\r\n"}) {
    begin();
    send(request);
    run_until([&] { return server->broken.has_value(); });
    EXPECT_EQ(*server->broken, TLSError::plain_http);
  }
}

TEST_P(TLSFaults, ManySmallWritesBecomeOneRecord) {
  begin();
  shake_hands();
  std::string all;
  for (int i = 0; i < 200; ++i) {
    std::string piece(40, static_cast<char>('a' + i % 26));
    all += piece;
    if (i % 3 == 0) {
      server->stream->write_owned(std::move(piece));
    } else {
      server->stream->write(piece);
    }
  }
  std::string wire;
  run_until([&] {
    wire += read_all(peer.get());
    return wire.size() > all.size();
  });
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(wire[3])) * 256 +
                      static_cast<unsigned char>(wire[4]);
  EXPECT_NEAR(static_cast<double>(wire.size()), static_cast<double>(5 + length), 500.0);
  raw->step(wire);
  run_until([&] {
    raw->step(read_all(peer.get()));
    return raw->received.size() >= all.size();
  });
  EXPECT_EQ(raw->received, all);
}

TEST_P(TLSFaults, RenegotiationIsRefused) {
  if (GetParam() != TLS1_2_VERSION) GTEST_SKIP() << "TLS 1.3 has none";
  begin();
  shake_hands();
  SSL_renegotiate(raw->ssl);
  SSL_do_handshake(raw->ssl);
  send(raw->take());
  raw->step(answer());  // a warning: no_renegotiation (RFC 5246 §7.2.2)
  const unsigned long error = ERR_peek_error();
  EXPECT_EQ(ERR_GET_REASON(error), SSL_R_NO_RENEGOTIATION) << ERR_reason_error_string(error);
  ERR_clear_error();
  EXPECT_FALSE(server->broken);
}

TEST_P(TLSFaults, AFloodOfKeyUpdatesIsRefused) {
  if (GetParam() != TLS1_3_VERSION) GTEST_SKIP() << "TLS 1.2 has none";
  begin();
  shake_hands();
  SSL_key_update(raw->ssl, SSL_KEY_UPDATE_REQUESTED);
  send(raw->write("with new keys"));
  run_until([&] { return server->received == "with new keys"; });
  server->stream->write("here too");
  run_until([&] {
    raw->step(read_all(peer.get()));
    return raw->received == "here too";
  });
  for (int i = 0; i < 5000 && !server->broken; ++i) {
    SSL_key_update(raw->ssl, SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(raw->ssl);
    const std::string update = raw->take();
    if (::send(peer.get(), update.data(), update.size(), MSG_NOSIGNAL) < 0) break;
    if (i % 50 == 0) {
      turn();
      raw->step(read_all(peer.get()));
    }
  }
  run_until([&] { return server->broken.has_value(); });
  EXPECT_EQ(*server->broken, TLSError::protocol_violation);
}

TEST_P(TLSFaults, AFileThatShrinksBreaksTheConnection) {
  begin();
  shake_hands();
  const std::string path = authority.write("short", "0123456789");
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  server->stream->write_file(std::move(file), 0, 20);
  run_until([&] { return server->broken.has_value(); });
  raw->step(read_all(peer.get()));
  EXPECT_EQ(raw->received, "0123456789");
  EXPECT_EQ(SSL_get_shutdown(raw->ssl) & SSL_RECEIVED_SHUTDOWN, 0) << "it looks whole";
}

}  // namespace
}  // namespace squall::net
