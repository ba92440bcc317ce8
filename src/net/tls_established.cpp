// SPDX-License-Identifier: Apache-2.0
#include "net/tls_handshake.hpp"
#include "net/tls_turn.hpp"

#include <squall/base/limits.hpp>
#include <squall/net/tls_error.hpp>

#include <algorithm>
#include <cstring>
#include <numeric>

// A server's connection after its handshake: the record protocol, with the few messages that it
// knows besides application data.
namespace squall::net {

using loop::OutputQueue;
using loop::Segment;

namespace {

// RFC 8446 §5.5: of records under one key of AES-GCM, 2^24.5 are safe.
constexpr std::uint64_t records_of_a_key = 1 << 24;
// Records that carry nothing, and warnings, one after the other.
constexpr unsigned most_strays = 32;

TLSError error_of_alert(int alert) noexcept {
  return alert == SSL_AD_BAD_RECORD_MAC || alert == SSL_AD_RECORD_OVERFLOW
             ? TLSError::bad_record
             : TLSError::protocol_violation;
}

}  // namespace

void TLSFilter::open_records(std::span<char> bytes) {
  Established& own = *established_;
  // The texts of the records are pushed together where they lie, and handed over in one piece.
  std::span<char> gathered;
  while (!bytes.empty()) {
    std::string whole;  // a record that came in several pieces
    std::span<char> record;
    std::optional<std::size_t> size;
    if (own.held.empty()) {
      size = TLSRecords::record_size(bytes);
      if (!size || *size > bytes.size()) {
        if (size) own.held.reserve(*size);
        own.held.assign(bytes.data(), bytes.size());
        break;
      }
      record = bytes.first(*size);
      bytes = bytes.subspan(*size);
    } else {
      const auto append = [&](std::size_t wanted) {
        const std::size_t part = std::min(wanted - std::min(wanted, own.held.size()), bytes.size());
        own.held.append(bytes.data(), part);
        bytes = bytes.subspan(part);
      };
      constexpr std::size_t header_bytes = 5;
      append(header_bytes);
      size = TLSRecords::record_size(own.held);
      if (!size) break;
      append(*size);
      if (own.held.size() < *size) break;
      whole = std::exchange(own.held, std::string());
      record = whole;
    }
    if (*size == 0) {
      if (deliver(gathered)) fail_with_alert(SSL_AD_UNEXPECTED_MESSAGE, "no record");
      return;
    }
    const TLSRecords::Opened opened = own.records.open(record);
    const bool is_text =
        !opened.is_bad && opened.type == TLSContent::application_data && !opened.text.empty();
    if (is_text) {
      own.strays = 0;
      if (!whole.empty()) {
        if (!deliver(opened.text)) return;
      } else if (gathered.empty()) {
        gathered = opened.text;
      } else {
        std::memmove(gathered.data() + gathered.size(), opened.text.data(), opened.text.size());
        gathered = {gathered.data(), gathered.size() + opened.text.size()};
      }
      continue;
    }
    if (!deliver(std::exchange(gathered, {}))) return;
    if (opened.is_bad) {
      fail_with_alert(opened.alert, "a bad record");
      return;
    }
    if (!take_message(opened.type, opened.text)) return;
  }
  deliver(gathered);
}

// Whether to go on.
bool TLSFilter::deliver(std::span<char> text) {
  if (!text.empty()) stream_.deliver(text);
  return stream_.has_owner();
}

bool TLSFilter::take_message(TLSContent type, std::span<const char> text) {
  switch (type) {
    case TLSContent::application_data:
      return stray();
    case TLSContent::alert:
      return take_alert(text);
    case TLSContent::handshake:
      return take_handshake_message(text);
  }
  return true;
}

// Such records cost us more than their sender.
bool TLSFilter::stray() {
  if (++established_->strays <= most_strays) return true;
  fail_with_alert(SSL_AD_UNEXPECTED_MESSAGE, "too many records without data");
  return false;
}

bool TLSFilter::take_alert(std::span<const char> text) {
  if (text.size() != 2) {
    fail_with_alert(SSL_AD_DECODE_ERROR, "a malformed alert");
    return false;
  }
  const int level = text[0];
  const int alert = static_cast<unsigned char>(text[1]);
  if (alert == SSL_AD_CLOSE_NOTIFY) {
    state_ = State::ended;
    stream_.deliver_eof();
    return false;
  }
  // RFC 8446 §6: but for these two, every alert is fatal there, whatever its level.
  const bool is_warning =
      established_->records.is_1_3() ? alert == SSL_AD_USER_CANCELLED : level == SSL3_AL_WARNING;
  if (is_warning) return stray();
  fail(TLSError::peer_alert, SSL_alert_desc_string_long(alert));
  return false;
}

bool TLSFilter::take_handshake_message(std::span<const char> text) {
  TLSRecords& records = established_->records;
  if (!records.is_1_3()) {
    if (text.empty() || text[0] != SSL3_MT_CLIENT_HELLO) {
      fail_with_alert(SSL_AD_UNEXPECTED_MESSAGE, "a handshake message after the handshake");
      return false;
    }
    // RFC 5246 §7.2.2: a renegotiation may be refused, and the connection goes on.
    if (!send_message(TLSContent::alert, {"\1\x64", 2})) return false;
  } else {
    // RFC 8446 §4.6.3: KeyUpdate ends its record. A client has nothing else to say.
    static constexpr char begin[] = {SSL3_MT_KEY_UPDATE, 0, 0, 1};
    if (text.size() != 5 || std::memcmp(text.data(), begin, sizeof begin) != 0) {
      fail_with_alert(SSL_AD_UNEXPECTED_MESSAGE, "a handshake message after the handshake");
      return false;
    }
    if (text[4] != 0 && text[4] != 1) {
      fail_with_alert(SSL_AD_ILLEGAL_PARAMETER, "a malformed key update");
      return false;
    }
    const std::string_view answer(text[4] == 1 ? "\x18\0\0\1\0" : "", text[4] == 1 ? 5 : 0);
    if (!records.update_read_key() ||
        (!answer.empty() &&
         (!send_message(TLSContent::handshake, answer) || !records.update_write_key()))) {
      fail(TLSError::protocol_violation, "keys cannot be updated");
      return false;
    }
  }
  if (reply_bytes_ <= limits::tls_reply_bytes) return stray();
  fail_with_alert(SSL_AD_UNEXPECTED_MESSAGE, "too many messages that want an answer");
  return false;
}

bool TLSFilter::send_message(TLSContent type, std::string_view bytes) {
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  const std::size_t before = stream_.wire().size();
  if (!established_->records.seal(stream_.wire(), stream_.core().blocks(), type, {&part, 1},
                                  bytes.size())) {
    fail(TLSError::protocol_violation, "a record cannot be made");
    return false;
  }
  reply_bytes_ += static_cast<std::uint32_t>(stream_.wire().size() - before);
  stream_.schedule_flush();
  return true;
}

void TLSFilter::fail_with_alert(int alert, std::string_view reason) {
  const char bytes[] = {SSL3_AL_FATAL, static_cast<char>(alert)};
  if (send_message(TLSContent::alert, {bytes, sizeof bytes})) fail(error_of_alert(alert), reason);
}

bool TLSFilter::seal_records(OutputQueue& wire) {
  TLSRecords& records = established_->records;
  const auto seal = [&](std::span<const iovec> parts, std::size_t size) {
    if (records.is_1_3() && records.sent_count() >= records_of_a_key &&
        (!send_message(TLSContent::handshake, {"\x18\0\0\1\0", 5}) ||
         !records.update_write_key())) {
      return false;
    }
    if (!records.seal(wire, stream_.core().blocks(), TLSContent::application_data, parts, size)) {
      fail(TLSError::protocol_violation, "a record cannot be made");
      return false;
    }
    plain().consume(stream_.core().blocks(), size);
    return true;
  };
  if (plain().front()->kind == Segment::Kind::file) {
    std::span<const char> bytes = read_file();
    if (bytes.empty()) return false;
    while (!bytes.empty()) {
      const std::span<const char> part =
          bytes.first(std::min(bytes.size(), records.most_text_bytes()));
      const iovec one{const_cast<char*>(part.data()), part.size()};
      if (!seal({&one, 1}, part.size())) return false;
      bytes = bytes.subspan(part.size());
    }
    return true;
  }
  iovec parts[256];
  const std::size_t count = plain().gather(parts, std::size(parts));
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) size += parts[i].iov_len;
  return seal({parts, count}, std::min(size, records.most_text_bytes()));
}

}  // namespace squall::net
