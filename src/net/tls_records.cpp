// SPDX-License-Identifier: Apache-2.0
#include "net/tls_records.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstring>

namespace squall::net {
namespace {

constexpr std::size_t header_bytes = 5;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t explicit_nonce_bytes = 8;  // of AES-GCM in TLS 1.2 (RFC 5288 §3)
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t record_text_bytes = 16 * 1024;
// RFC 8446 §5.2 allows 256 bytes of expansion, RFC 5246 §6.2.3 would 2048: no AEAD needs them.
constexpr std::size_t record_most_bytes = header_bytes + record_text_bytes + 256;

void put16(unsigned char* out, std::size_t value) noexcept {
  out[0] = static_cast<unsigned char>(value >> 8);
  out[1] = static_cast<unsigned char>(value);
}

void put64(unsigned char* out, std::uint64_t value) noexcept {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<unsigned char>(value >> (56 - 8 * i));
}

unsigned char* bytes_of(char* text) noexcept { return reinterpret_cast<unsigned char*>(text); }

int digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

}  // namespace

/// A cipher that is known here.
struct TLSRecords::Kind {
  int nid;
  const char* name;
  std::size_t key_bytes;
  bool explicit_nonce;  // in TLS 1.2
  std::size_t index;
};

namespace {

constexpr std::size_t kind_count = 3;

}  // namespace

/// The thread's contexts: one for each cipher and direction, with the key used last. A connection
/// that goes on with its own key saves setting it.
class TLSRecords::Engines {
 public:
  static Engines& here() {
    static thread_local Engines engines;
    return engines;
  }
  static constexpr Kind kinds[kind_count] = {
      {NID_aes_128_gcm, "AES-128-GCM", 16, true, 0},
      {NID_aes_256_gcm, "AES-256-GCM", 32, true, 1},
      {NID_chacha20_poly1305, "ChaCha20-Poly1305", 32, false, 2},
  };

  std::uint64_t next_id() noexcept { return ++last_id_; }

  /// Ready for a record; nullptr when OpenSSL fails.
  EVP_CIPHER_CTX* prepare(const Kind& kind, const Direction& direction, bool encrypts,
                          const unsigned char* nonce) {
    Slot& slot = slots_[kind.index][encrypts ? 1 : 0];
    const int way = encrypts ? 1 : 0;
    if (!slot.context) {
      slot.context.reset(EVP_CIPHER_CTX_new());
      EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, kind.name, nullptr);
      const bool fits =
          slot.context && cipher != nullptr &&
          EVP_CipherInit_ex(slot.context.get(), cipher, nullptr, nullptr, nullptr, way) == 1 &&
          EVP_CIPHER_CTX_ctrl(slot.context.get(), EVP_CTRL_AEAD_SET_IVLEN, nonce_bytes, nullptr) ==
              1;
      EVP_CIPHER_free(cipher);
      if (!fits) {
        slot.context.reset();
        return nullptr;
      }
    }
    const bool same = slot.id == direction.id;
    slot.id = 0;  // until it has worked
    if (EVP_CipherInit_ex(slot.context.get(), nullptr, nullptr,
                          same ? nullptr : direction.key.data(), nonce, way) != 1) {
      return nullptr;
    }
    slot.id = direction.id;
    return slot.context.get();
  }

 private:
  struct Slot {
    std::unique_ptr<EVP_CIPHER_CTX, FreedBy<EVP_CIPHER_CTX_free>> context;
    std::uint64_t id = 0;
  };
  Slot slots_[kind_count][2];
  std::uint64_t last_id_ = 0;
};

TLSSecrets::~TLSSecrets() {
  OPENSSL_cleanse(of_client.data(), of_client.size());
  OPENSSL_cleanse(of_server.data(), of_server.size());
}

void TLSSecrets::take(std::string_view line) noexcept {
  const bool client = line.starts_with("CLIENT_TRAFFIC_SECRET_0 ");
  if (!client && !line.starts_with("SERVER_TRAFFIC_SECRET_0 ")) return;
  const std::string_view secret = line.substr(line.rfind(' ') + 1);
  auto& out = client ? of_client : of_server;
  const std::size_t size = std::min(secret.size() / 2, out.size());
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<unsigned char>(digit(secret[2 * i]) * 16 + digit(secret[2 * i + 1]));
  }
}

TLSRecords::~TLSRecords() {
  OPENSSL_cleanse(&read_, sizeof read_);
  OPENSSL_cleanse(&write_, sizeof write_);
}

bool TLSRecords::take_over(SSL* ssl, const TLSSecrets& secrets, std::uint64_t records_sent) {
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl);
  const auto* const kind =
      std::find_if(std::begin(Engines::kinds), std::end(Engines::kinds),
                   [&](const Kind& one) { return one.nid == SSL_CIPHER_get_cipher_nid(cipher); });
  if (kind == std::end(Engines::kinds)) return false;
  kind_ = kind;
  digest_ = SSL_CIPHER_get_handshake_digest(cipher);
  is_1_3_ = SSL_version(ssl) == TLS1_3_VERSION;
  if (const unsigned mode = SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl))) {
    if (mode > TLSEXT_max_fragment_length_4096) return false;
    most_text_bytes_ = static_cast<std::uint16_t>(256U << mode);
  }
  bool derived = false;
  if (is_1_3_) {
    read_.secret = secrets.of_client;
    write_.secret = secrets.of_server;
    derived = derive_keys(read_) && derive_keys(write_);
  } else {
    derived = SSL_version(ssl) == TLS1_2_VERSION && derive_keys_1_2(ssl);
    read_.sequence = 1;  // the client's Finished
  }
  write_.sequence = records_sent;
  ERR_clear_error();
  return derived;
}

// RFC 8446 §7.1, HKDF-Expand-Label without a context. What is wanted is never longer than a digest,
// so that HKDF-Expand is one HMAC (RFC 5869 §2.3).
bool TLSRecords::expand(const Direction& from, std::string_view label,
                        std::span<unsigned char> out) const {
  unsigned char info[64];
  std::size_t size = 0;
  put16(info, out.size());
  size += 2;
  info[size++] = static_cast<unsigned char>(6 + label.size());
  std::memcpy(info + size, "tls13 ", 6);
  std::memcpy(info + size + 6, label.data(), label.size());
  size += 6 + label.size();
  info[size++] = 0;
  info[size++] = 1;  // the first block
  unsigned char block[EVP_MAX_MD_SIZE];
  unsigned block_size = 0;
  const bool done = HMAC(digest_, from.secret.data(), EVP_MD_get_size(digest_), info, size, block,
                         &block_size) != nullptr &&
                    block_size >= out.size();
  if (done) std::memcpy(out.data(), block, out.size());
  OPENSSL_cleanse(block, sizeof block);
  return done;
}

bool TLSRecords::derive_keys(Direction& direction) {
  direction.sequence = 0;
  direction.id = Engines::here().next_id();
  return expand(direction, "key", std::span(direction.key).first(kind_->key_bytes)) &&
         expand(direction, "iv", direction.iv);
}

bool TLSRecords::update(Direction& direction) {
  const auto size = static_cast<std::size_t>(EVP_MD_get_size(digest_));
  std::array<unsigned char, 48> next{};
  if (!expand(direction, "traffic upd", std::span(next).first(size))) return false;
  direction.secret = next;
  OPENSSL_cleanse(next.data(), next.size());
  return derive_keys(direction);
}

// RFC 5246 §6.3: the keys, then the fixed parts of the nonces; AEAD needs no MAC keys.
bool TLSRecords::derive_keys_1_2(SSL* ssl) {
  unsigned char master[48];
  unsigned char seed[2 * SSL3_RANDOM_SIZE];
  unsigned char block[2 * (32 + 12)];
  const std::size_t key = kind_->key_bytes;
  const std::size_t iv = kind_->explicit_nonce ? 4 : nonce_bytes;
  const std::size_t master_size =
      SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master);
  SSL_get_server_random(ssl, seed, SSL3_RANDOM_SIZE);
  SSL_get_client_random(ssl, seed + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);

  EVP_KDF* const function = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_PRF, nullptr);
  EVP_KDF_CTX* const context = EVP_KDF_CTX_new(function);
  EVP_KDF_free(function);
  static constexpr std::string_view label = "key expansion";
  char label_bytes[label.size()];
  std::memcpy(label_bytes, label.data(), label.size());
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                       const_cast<char*>(EVP_MD_get0_name(digest_)), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_size),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, label_bytes, sizeof label_bytes),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed),
      OSSL_PARAM_construct_end()};
  const bool done =
      context != nullptr && EVP_KDF_derive(context, block, 2 * (key + iv), parameters) == 1;
  EVP_KDF_CTX_free(context);
  if (done) {
    std::memcpy(read_.key.data(), block, key);
    std::memcpy(write_.key.data(), block + key, key);
    std::memcpy(read_.iv.data(), block + 2 * key, iv);
    std::memcpy(write_.iv.data(), block + 2 * key + iv, iv);
    read_.id = Engines::here().next_id();
    write_.id = Engines::here().next_id();
  }
  OPENSSL_cleanse(master, sizeof master);
  OPENSSL_cleanse(block, sizeof block);
  return done;
}

// RFC 8446 §5.3 and RFC 7905 §2: the sequence number over the end of the IV. With AES-GCM in
// TLS 1.2 the sequence number is the part that the record carries, as RFC 5288 §3 suggests; the one
// record that OpenSSL has sealed with this key began at a random number.
void TLSRecords::nonce_of(const Direction& direction, unsigned char* nonce) const noexcept {
  unsigned char sequence[8];
  put64(sequence, direction.sequence);
  std::memcpy(nonce, direction.iv.data(), nonce_bytes);
  if (!is_1_3_ && kind_->explicit_nonce) {
    std::memcpy(nonce + 4, sequence, 8);
  } else {
    for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] ^= sequence[i];
  }
}

std::size_t TLSRecords::bytes_before_text() const noexcept {
  return header_bytes + (!is_1_3_ && kind_->explicit_nonce ? explicit_nonce_bytes : 0);
}

// RFC 8446 §5.2: the header; RFC 5246 §6.2.3.3: the sequence number and the header that the text
// would have.
TLSRecords::AdditionalData TLSRecords::additional_data(const Direction& direction,
                                                       const unsigned char* header,
                                                       std::size_t text_size) const noexcept {
  AdditionalData data;
  if (is_1_3_) {
    std::memcpy(data.bytes, header, header_bytes);
    data.size = header_bytes;
  } else {
    put64(data.bytes, direction.sequence);
    std::memcpy(data.bytes + 8, header, 3);
    put16(data.bytes + 11, text_size);
    data.size = sizeof data.bytes;
  }
  return data;
}

std::optional<std::size_t> TLSRecords::record_size(std::span<const char> bytes) noexcept {
  if (!bytes.empty() && (bytes[0] < 20 || bytes[0] > 23)) return 0;
  if (bytes.size() >= 2 && bytes[1] != 3) return 0;
  if (bytes.size() < header_bytes) return std::nullopt;
  const std::size_t size = header_bytes + static_cast<unsigned char>(bytes[3]) * 256U +
                           static_cast<unsigned char>(bytes[4]);
  return size <= record_most_bytes ? size : 0;
}

TLSRecords::Opened TLSRecords::open(std::span<char> record) {
  const auto refused = [](std::uint8_t alert) {
    ERR_clear_error();
    return Opened{.text = {}, .alert = alert, .is_bad = true};
  };
  unsigned char* const header = bytes_of(record.data());
  // RFC 8446 §5: after the handshake every record is protected, and looks like application data.
  const bool known = is_1_3_ ? header[0] == 23 : header[0] >= 21 && header[0] <= 23;
  if (!known) return refused(SSL_AD_UNEXPECTED_MESSAGE);
  const std::size_t before = bytes_before_text();
  if (record.size() < before + tag_bytes + (is_1_3_ ? 1 : 0)) {
    return refused(is_1_3_ ? SSL_AD_UNEXPECTED_MESSAGE : SSL_AD_BAD_RECORD_MAC);
  }
  const std::size_t size = record.size() - before - tag_bytes;
  if (size > record_text_bytes + (is_1_3_ ? 256 : 0)) return refused(SSL_AD_RECORD_OVERFLOW);
  unsigned char* const text = header + before;

  unsigned char nonce[nonce_bytes];
  nonce_of(read_, nonce);
  if (before != header_bytes) std::memcpy(nonce + 4, header + header_bytes, explicit_nonce_bytes);
  const AdditionalData additional = additional_data(read_, header, size);
  EVP_CIPHER_CTX* const context = Engines::here().prepare(*kind_, read_, false, nonce);
  if (context == nullptr) return refused(SSL_AD_INTERNAL_ERROR);
  int done = 0;
  if (EVP_DecryptUpdate(context, nullptr, &done, additional.bytes, additional.size) != 1 ||
      EVP_DecryptUpdate(context, text, &done, text, static_cast<int>(size)) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_bytes, text + size) != 1 ||
      EVP_DecryptFinal_ex(context, text + size, &done) != 1) {
    return refused(SSL_AD_BAD_RECORD_MAC);
  }
  ++read_.sequence;
  Opened opened{.type = static_cast<TLSContent>(header[0]), .text = record.subspan(before, size)};
  if (!is_1_3_) return opened;
  // RFC 8446 §5.4: the type stands before the padding, which is zeros.
  std::size_t end = size;
  while (end > 0 && text[end - 1] == 0) --end;
  if (end == 0) return refused(SSL_AD_UNEXPECTED_MESSAGE);
  const unsigned char type = text[end - 1];
  if (end - 1 > record_text_bytes) return refused(SSL_AD_RECORD_OVERFLOW);
  if (type < 21 || type > 23) return refused(SSL_AD_UNEXPECTED_MESSAGE);
  opened.type = static_cast<TLSContent>(type);
  opened.text = opened.text.first(end - 1);
  return opened;
}

bool TLSRecords::seal(loop::OutputQueue& wire, loop::BlockPool& blocks, TLSContent type,
                      std::span<const iovec> parts, std::size_t size) {
  const std::size_t before = bytes_before_text();
  const std::size_t inner = size + (is_1_3_ ? 1 : 0);
  const std::size_t whole = before + inner + tag_bytes;
  unsigned char* const header = bytes_of(wire.prepare(blocks, whole));
  header[0] = is_1_3_ ? 23 : static_cast<unsigned char>(type);
  header[1] = header[2] = 3;
  put16(header + 3, whole - header_bytes);
  unsigned char nonce[nonce_bytes];
  nonce_of(write_, nonce);
  if (before != header_bytes) std::memcpy(header + header_bytes, nonce + 4, explicit_nonce_bytes);
  const AdditionalData additional = additional_data(write_, header, size);
  EVP_CIPHER_CTX* const context = Engines::here().prepare(*kind_, write_, true, nonce);
  int done = 0;
  if (context == nullptr ||
      EVP_EncryptUpdate(context, nullptr, &done, additional.bytes, additional.size) != 1) {
    return false;
  }
  unsigned char* out = header + before;
  for (const iovec& part : parts) {
    if (size == 0) break;
    const std::size_t some = std::min(part.iov_len, size);
    if (EVP_EncryptUpdate(context, out, &done, static_cast<const unsigned char*>(part.iov_base),
                          static_cast<int>(some)) != 1) {
      return false;
    }
    out += some;
    size -= some;
  }
  if (is_1_3_) {
    const auto inner_type = static_cast<unsigned char>(type);
    if (EVP_EncryptUpdate(context, out, &done, &inner_type, 1) != 1) return false;
    ++out;
  }
  if (EVP_EncryptFinal_ex(context, out, &done) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_bytes, out) != 1) {
    return false;
  }
  ++write_.sequence;
  wire.commit(whole);
  return true;
}

}  // namespace squall::net
