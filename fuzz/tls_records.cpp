// SPDX-License-Identifier: Apache-2.0
#include "net/tls_records.hpp"

#include "fuzz.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

// A server's record layer: records that are right, that were changed, and that are none. What it
// opens must be what was sealed, in that order; all else must be refused.
//
// The first byte chooses the version of TLS; then come commands, see Wire::add().

namespace {

using namespace squall::net;

/// Two ends whose handshake is over, without a socket between them; made once.
class Ends {
 public:
  explicit Ends(int version) {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    const SSLContextPtr server_context(SSL_CTX_new(TLS_server_method()));
    const SSLContextPtr client_context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_use_certificate(server_context.get(), certificate);
    SSL_CTX_use_PrivateKey(server_context.get(), key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    SSL_CTX_set_verify(client_context.get(), SSL_VERIFY_NONE, nullptr);
    for (SSL_CTX* const context : {server_context.get(), client_context.get()}) {
      SSL_CTX_set_min_proto_version(context, version);
      SSL_CTX_set_max_proto_version(context, version);
      SSL_CTX_set_keylog_callback(context, [](const SSL* ssl, const char* line) {
        std::string text = line;
        // The client makes records with the server's code, the directions exchanged.
        if (SSL_is_server(ssl) == 0 &&
            (text.starts_with("CLIENT_") || text.starts_with("SERVER_"))) {
          text.replace(0, 6, text.starts_with("CLIENT") ? "SERVER" : "CLIENT");
        }
        reinterpret_cast<TLSSecrets*>(SSL_get_app_data(ssl))->take(text);
      });
    }
    server = SSL_new(server_context.get());
    client = SSL_new(client_context.get());
    SSL_set_app_data(server, reinterpret_cast<char*>(&server_secrets));
    SSL_set_app_data(client, reinterpret_cast<char*>(&client_secrets));
    BIO* const to_server = BIO_new(BIO_s_mem());
    BIO* const to_client = BIO_new(BIO_s_mem());
    BIO_up_ref(to_server);
    BIO_up_ref(to_client);
    SSL_set_bio(server, to_server, to_client);
    SSL_set_bio(client, to_client, to_server);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int i = 0; i < 10; ++i) {
      SSL_do_handshake(client);
      SSL_do_handshake(server);
    }
    fuzz::check(SSL_is_init_finished(server) == 1 && SSL_is_init_finished(client) == 1,
                "the handshake, before all fuzzing");
  }

  SSL* server = nullptr;
  SSL* client = nullptr;
  TLSSecrets server_secrets;
  TLSSecrets client_secrets;
};

struct Record {
  unsigned type = 0;
  std::string text;
  bool key_update_follows = false;
};

/// What a client sends.
class Wire {
 public:
  explicit Wire(Ends& ends) {
    fuzz::check(records_.take_over(ends.client, ends.client_secrets, 0), "the cipher is known");
  }

  /// Takes one command from the front of `input`.
  void add(std::string_view& input) {
    const unsigned command = byte(input) % 5;
    if (command == 0) {  // bytes as they are
      is_genuine = false;
      bytes += take(input, byte(input));
    } else if (command == 3) {  // new keys, when there has been a record
      if (sealed.empty() || sealed.back().key_update_follows) return;
      sealed.back().key_update_follows = true;
      fuzz::check(records_.update_write_key(), "new keys to write with");
    } else {
      const unsigned type = byte(input);
      const std::size_t size = byte(input);
      if (command == 4) {  // a large one
        seal(type, std::string(size * 64 + 64, static_cast<char>(byte(input))));
      } else {
        seal(type, std::string(take(input, size)));
      }
      if (command != 2) return;  // a changed one
      is_genuine = false;
      const std::size_t place = bytes.size() - 1 - byte(input) % last_size_;
      bytes[place] = static_cast<char>(static_cast<unsigned char>(bytes[place]) ^ byte(input));
    }
  }

  std::string bytes;
  std::vector<Record> sealed;
  bool is_genuine = true;  ///< nothing but what was sealed

 private:
  static unsigned byte(std::string_view& input) {
    const std::string_view one = take(input, 1);
    return one.empty() ? 0 : static_cast<unsigned char>(one[0]);
  }
  static std::string_view take(std::string_view& input, std::size_t size) {
    const std::string_view part = input.substr(0, size);
    input.remove_prefix(part.size());
    return part;
  }
  void seal(unsigned type, std::string text) {
    squall::loop::BlockPool blocks;
    squall::loop::OutputQueue queue;
    const iovec part{text.data(), text.size()};
    fuzz::check(
        records_.seal(queue, blocks, static_cast<TLSContent>(type), {&part, 1}, text.size()),
        "sealing works");
    last_size_ = queue.front()->size;
    bytes.append(queue.front()->data, last_size_);
    queue.clear(blocks);
    sealed.push_back({type, std::move(text)});
  }

  TLSRecords records_;
  std::size_t last_size_ = 0;
};

/// Zeros at the end of a record are padding, a zero for a type too (RFC 8446 §5.4).
void take_padding_away(Record& record) {
  while (record.type == 0 && !record.text.empty()) {
    record.type = static_cast<unsigned char>(record.text.back());
    record.text.pop_back();
  }
}

/// Takes records until one is refused or they end; how many were opened.
std::size_t receive(Ends& ends, Wire& wire) {
  TLSRecords records;
  fuzz::check(records.take_over(ends.server, ends.server_secrets, 0), "the cipher is known");
  std::size_t opened = 0;
  for (std::size_t at = 0; at < wire.bytes.size();) {
    const std::string_view rest = std::string_view(wire.bytes).substr(at);
    const auto size = TLSRecords::record_size(rest);
    // What a few bytes say, all of them say.
    for (std::size_t few = 0; few < 5; ++few) {
      const auto early = TLSRecords::record_size(rest.substr(0, few));
      fuzz::check(!early || (*early == 0 && size == 0U), "few bytes can only refuse");
    }
    if (!size || *size == 0 || *size > rest.size()) return opened;
    fuzz::Exact copy(rest.substr(0, *size));
    const TLSRecords::Opened record = records.open({copy.data(), *size});
    if (record.is_bad) {
      fuzz::check(record.alert != 0, "a refusal has a reason");
      return opened;
    }
    fuzz::check(opened < wire.sealed.size(), "no record is made up");
    Record& expected = wire.sealed[opened++];
    fuzz::check(static_cast<unsigned>(record.type) == expected.type, "its type is kept");
    fuzz::check_same({record.text.data(), record.text.size()}, expected.text, "and its text");
    if (expected.key_update_follows) {
      fuzz::check(records.update_read_key(), "new keys to read with");
    }
    at += *size;
  }
  return opened;
}

}  // namespace

void fuzz::run(std::string_view input) {
  static Ends ends_1_3(TLS1_3_VERSION);
  static Ends ends_1_2(TLS1_2_VERSION);
  if (input.empty()) return;
  // In TLS 1.2 both directions come from one secret, so that a client cannot be played: its
  // records are all refused.
  Ends& ends = input[0] % 2 == 0 ? ends_1_3 : ends_1_2;
  input.remove_prefix(1);
  Wire wire(ends);
  while (!input.empty() && wire.bytes.size() < 200'000) wire.add(input);
  for (Record& record : wire.sealed) take_padding_away(record);
  const std::size_t opened = receive(ends, wire);
  if (!wire.is_genuine || &ends == &ends_1_2) return;
  const auto stop = std::find_if(wire.sealed.begin(), wire.sealed.end(),
                                 [](const Record& one) { return one.type < 21 || one.type > 23; });
  check(opened == static_cast<std::size_t>(stop - wire.sealed.begin()),
        "records are opened up to the first of a type that is none");
}
