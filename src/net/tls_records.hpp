// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/output_queue.hpp"
#include "net/tls_openssl.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <sys/uio.h>

namespace squall::net {

/// The secrets of TLS 1.3 that a handshake ended with (RFC 8446 §7.1).
struct TLSSecrets {
  std::array<unsigned char, 48> of_client{};
  std::array<unsigned char, 48> of_server{};

  TLSSecrets() noexcept = default;
  TLSSecrets(const TLSSecrets&) = delete;
  TLSSecrets& operator=(const TLSSecrets&) = delete;
  ~TLSSecrets();
  /// Takes what it needs of a line of a key log.
  void take(std::string_view key_log_line) noexcept;
};

enum class TLSContent : std::uint8_t { alert = 21, handshake = 22, application_data = 23 };

/// Protects the records of a server's connection whose handshake is over: RFC 8446 §5 for TLS 1.3,
/// RFC 5246 §6.2.3.3 for TLS 1.2, with AEAD ciphers. The cryptography is OpenSSL's.
///
/// It stands in for OpenSSL's own record layer, which keeps 14 KB for each idle connection and
/// copies each record twice. Records are opened where they were received and made where they are
/// sent from; a connection has its keys, and a thread the rest.
class TLSRecords {
 public:
  struct Direction {
    std::array<unsigned char, 48> secret{};  // TLS 1.3: what the next keys come from
    std::array<unsigned char, 32> key{};
    std::array<unsigned char, 12> iv{};
    std::uint64_t sequence = 0;
    std::uint64_t id = 0;  // of the key, in this thread
  };

  /// From a handshake that is done, after which the server has sent `records_sent` records. False
  /// when the cipher is one that only OpenSSL knows: then OpenSSL must go on.
  [[nodiscard]] bool take_over(SSL* ssl, const TLSSecrets& secrets, std::uint64_t records_sent);

  TLSRecords() noexcept = default;
  TLSRecords(const TLSRecords&) = delete;
  TLSRecords& operator=(const TLSRecords&) = delete;
  ~TLSRecords();

  /// The size of the record that `bytes` begin with; nothing when it is not known yet; 0 when it is
  /// no record, or one that is too long.
  [[nodiscard]] static std::optional<std::size_t> record_size(std::span<const char> bytes) noexcept;

  struct Opened {
    TLSContent type = TLSContent::alert;
    std::span<char> text;    // in the record
    std::uint8_t alert = 0;  // the reason why there is none (SSL_AD_...)
    bool is_bad = false;
  };
  /// Opens one record in its place.
  [[nodiscard]] Opened open(std::span<char> record);
  /// Appends a record with the first `size` bytes of `parts`. False when OpenSSL fails.
  [[nodiscard]] bool seal(loop::OutputQueue& wire, loop::BlockPool& blocks, TLSContent type,
                          std::span<const iovec> parts, std::size_t size);
  [[nodiscard]] bool update_read_key() { return update(read_); }
  [[nodiscard]] bool update_write_key() { return update(write_); }

  [[nodiscard]] bool is_1_3() const noexcept { return is_1_3_; }
  /// What a record may hold; less than 16 KiB when the client asked for it (RFC 6066 §4).
  [[nodiscard]] std::size_t most_text_bytes() const noexcept { return most_text_bytes_; }
  /// Records sent with the present key.
  [[nodiscard]] std::uint64_t sent_count() const noexcept { return write_.sequence; }

 private:
  struct Kind;
  class Engines;

  [[nodiscard]] bool expand(const Direction& from, std::string_view label,
                            std::span<unsigned char> out) const;
  [[nodiscard]] bool derive_keys(Direction& direction);
  [[nodiscard]] bool derive_keys_1_2(SSL* ssl);
  [[nodiscard]] bool update(Direction& direction);
  void nonce_of(const Direction& direction, unsigned char* nonce) const noexcept;
  /// The header, and the part of the nonce that a record may carry.
  [[nodiscard]] std::size_t bytes_before_text() const noexcept;
  /// What the tag vouches for besides the text.
  struct AdditionalData {
    unsigned char bytes[13];
    int size;
  };
  [[nodiscard]] AdditionalData additional_data(const Direction& direction,
                                               const unsigned char* header,
                                               std::size_t text_size) const noexcept;

  Direction read_;
  Direction write_;
  const Kind* kind_ = nullptr;
  const EVP_MD* digest_ = nullptr;
  std::uint16_t most_text_bytes_ = 16 * 1024;
  bool is_1_3_ = true;
};

}  // namespace squall::net
