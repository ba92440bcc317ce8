// SPDX-License-Identifier: Apache-2.0
#include "websocket/handshake.hpp"

#include "base/base64.hpp"
#include "http/ascii.hpp"
#include "http/tokens.hpp"

#include <openssl/sha.h>

#include <charconv>
#include <string>

namespace squall::websocket {
namespace {

// Calls `visit` with each element of all fields named `name` (RFC 9110 §5.6.1), empty ones too,
// until it says true.
template <class Visit>
bool visit_list(const http::RequestHead& head, std::string_view name, Visit visit) {
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (!http::ascii::equal(head.field_name(i), name)) continue;
    for (http::ListReader list(head.field_value(i)); list.next();) {
      if (visit(list.element())) return true;
    }
  }
  return false;
}

bool list_has(const http::RequestHead& head, std::string_view name, std::string_view wanted) {
  return visit_list(head, name, [wanted](std::string_view element) {
    return http::ascii::equal(element, wanted);
  });
}

// The value of a field that may stand only once; "" when it is absent or repeated.
std::string_view only_field(const http::RequestHead& head, std::string_view name) {
  std::string_view value;
  bool seen = false;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (!http::ascii::equal(head.field_name(i), name)) continue;
    if (seen) return {};
    seen = true;
    value = head.field_value(i);
  }
  return value;
}

bool is_key(std::string_view key) {
  if (key.size() != 24) return false;  // before decoding, which costs an allocation
  const auto bytes = decode_base64(key);
  return bytes && bytes->size() == 16;
}

struct Authority {
  std::string_view host;
  unsigned port = 0;  // 0: none, and none is known from the scheme
  bool valid = false;
};

// `host [ ":" port ]` (RFC 3986 §3.2); anything that is not that is not valid.
Authority parse_authority(std::string_view text, unsigned default_port) noexcept {
  if (text.find_first_of("/?#@\\, \t") != std::string_view::npos) return {};
  // The colons of an IPv6 address stand inside brackets.
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return {};
  const std::size_t colon = text.find(':', bracket);
  Authority authority{text.substr(0, colon), default_port, true};
  if (authority.host.empty()) return {};
  if (bracket != 0 && authority.host.size() != bracket + 1) return {};
  if (colon == std::string_view::npos || colon + 1 == text.size()) return authority;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, authority.port);
  authority.valid = error == std::errc() && stop == end && authority.port <= 0xFFFF;
  return authority;
}

unsigned default_port_of(std::string_view scheme) noexcept {
  if (http::ascii::equal(scheme, "http") || http::ascii::equal(scheme, "ws")) return 80;
  if (http::ascii::equal(scheme, "https") || http::ascii::equal(scheme, "wss")) return 443;
  return 0;
}

class HandshakeCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.websocket.handshake"; }
  std::string message(int value) const override {
    return std::string(text_for(static_cast<HandshakeError>(value)));
  }
};

}  // namespace

std::error_code make_error_code(HandshakeError error) noexcept {
  static const HandshakeCategory category;
  return {static_cast<int>(error), category};
}

std::uint16_t status_for(HandshakeError error) noexcept {
  switch (error) {
    case HandshakeError::not_get:
      return 405;
    case HandshakeError::bad_version:
      return 426;
    case HandshakeError::not_http_1_1:
    case HandshakeError::missing_upgrade:
    case HandshakeError::missing_connection:
    case HandshakeError::bad_key:
      break;
  }
  return 400;
}

std::string_view text_for(HandshakeError error) noexcept {
  switch (error) {
    case HandshakeError::not_get:
      return "A WebSocket is opened with GET.";
    case HandshakeError::not_http_1_1:
      return "A WebSocket needs HTTP/1.1.";
    case HandshakeError::missing_upgrade:
      return "\"Upgrade\" must have \"websocket\".";
    case HandshakeError::missing_connection:
      return "\"Connection\" must have \"Upgrade\".";
    case HandshakeError::bad_version:
      return "\"Sec-WebSocket-Version\" must be 13.";
    case HandshakeError::bad_key:
      return "\"Sec-WebSocket-Key\" must be base64 of 16 bytes.";
  }
  return "The WebSocket handshake failed.";
}

Result<std::string_view> check_handshake(const http::RequestHead& head) {
  if (head.method() != http::Method::get) return HandshakeError::not_get;
  if (head.minor_version() < 1) return HandshakeError::not_http_1_1;
  if (!list_has(head, "Upgrade", "websocket")) return HandshakeError::missing_upgrade;
  if (!list_has(head, "Connection", "upgrade")) return HandshakeError::missing_connection;
  // Before the key: what a key must be is for the version to say.
  if (only_field(head, "Sec-WebSocket-Version") != supported_version) {
    return HandshakeError::bad_version;
  }
  const std::string_view key = only_field(head, "Sec-WebSocket-Key");
  if (!is_key(key)) return HandshakeError::bad_key;
  return key;
}

AcceptValue accept_value(std::string_view key) {
  std::string salted(key);
  salted += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(salted.data()), salted.size(), digest.data());
  static_assert(base64_padded_bytes(SHA_DIGEST_LENGTH) == AcceptValue{}.size());
  AcceptValue value;
  encode_base64(value.data(), {reinterpret_cast<const char*>(digest.data()), digest.size()});
  return value;
}

bool same_origin(std::string_view origin, std::string_view host) noexcept {
  const std::size_t colon = origin.find("://");
  if (colon == std::string_view::npos || colon == 0) return false;  // "null" among them
  const unsigned default_port = default_port_of(origin.substr(0, colon));
  const Authority theirs = parse_authority(origin.substr(colon + 3), default_port);
  const Authority ours = parse_authority(host, default_port);
  return theirs.valid && ours.valid && theirs.port == ours.port &&
         http::ascii::equal(theirs.host, ours.host);
}

std::vector<std::string_view> offered_subprotocols(const http::RequestHead& head) {
  std::vector<std::string_view> offered;
  visit_list(head, "Sec-WebSocket-Protocol", [&offered](std::string_view element) {
    if (http::is_token(element)) offered.push_back(element);
    return offered.size() == max_subprotocol_count;
  });
  return offered;
}

}  // namespace squall::websocket
