// SPDX-License-Identifier: Apache-2.0
#include "websocket/client_handshake.hpp"

#include "base/base64.hpp"
#include "http/ascii.hpp"
#include "http/tokens.hpp"
#include "websocket/handshake.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <vector>

namespace squall::websocket {
namespace {

using http::ascii::equal;

// What the handshake writes itself, and what would give the request a body.
constexpr std::string_view own_fields[] = {
    "Host",
    "Upgrade",
    "Connection",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
    "Content-Length",
    "Transfer-Encoding",
};

bool is_visible(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

void check_line(const ClientHandshake& handshake) {
  const std::string_view target = handshake.target;
  if (!target.starts_with('/') || !is_visible(target) ||
      target.find('#') != std::string_view::npos) {
    throw UsageError("a WebSocket's target begins with / and is percent-encoded: \"" +
                     std::string(target) + "\"");
  }
  if (handshake.host.empty() || !is_visible(handshake.host)) {
    throw UsageError("a WebSocket handshake needs a host: \"" + std::string(handshake.host) + "\"");
  }
  if (!http::is_field_value(handshake.origin)) {
    throw UsageError("an origin must be a header value");
  }
}

// RFC 6455 §4.1, 10: tokens, all different.
void check_subprotocols(std::span<const std::string_view> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!http::is_token(names[i])) {
      throw UsageError("a subprotocol must be a token: \"" + std::string(names[i]) + "\"");
    }
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i)) {
      throw UsageError("a subprotocol is offered twice: \"" + std::string(names[i]) + "\"");
    }
  }
}

void check_fields(std::span<const Field> fields) {
  for (const Field& field : fields) {
    if (!http::is_token(field.name) || !http::is_field_value(field.value)) {
      throw UsageError("a header field has a bad name or value: \"" + std::string(field.name) +
                       "\"");
    }
    for (const std::string_view own : own_fields) {
      if (equal(field.name, own)) {
        throw UsageError("the WebSocket handshake writes \"" + std::string(own) +
                         "\" itself; leave it out of the headers");
      }
    }
  }
}

void add(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\r\n");
}

bool has_token(std::span<const Field> fields, std::string_view name, std::string_view token) {
  return std::any_of(fields.begin(), fields.end(), [=](const Field& field) {
    return equal(field.name, name) && http::has_token(field.value, token);
  });
}

std::vector<std::string_view> values_of(std::span<const Field> fields, std::string_view name) {
  std::vector<std::string_view> values;
  for (const Field& field : fields) {
    if (equal(field.name, name)) values.push_back(http::ascii::trim(field.value));
  }
  return values;
}

// RFC 6455 §4.1, 2: the whole value, not one of a list.
bool upgrades(std::span<const Field> fields) {
  const std::vector<std::string_view> values = values_of(fields, "Upgrade");
  return values.size() == 1 && equal(values[0], "websocket");
}

bool accepts(std::span<const Field> fields, std::string_view key) {
  const std::vector<std::string_view> values = values_of(fields, "Sec-WebSocket-Accept");
  const AcceptValue expected = accept_value(key);
  return values.size() == 1 && values[0] == std::string_view(expected.data(), expected.size());
}

Result<std::string_view> chosen_subprotocol(const ClientHandshake& handshake,
                                            std::span<const Field> fields) {
  const std::vector<std::string_view> values = values_of(fields, "Sec-WebSocket-Protocol");
  if (values.empty()) return std::string_view();
  if (values.size() > 1) return AnswerError::repeated_subprotocol;
  const auto offered = handshake.subprotocols;
  const auto found = std::find(offered.begin(), offered.end(), values[0]);
  if (found == offered.end()) return AnswerError::unknown_subprotocol;
  return *found;
}

class AnswerCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.websocket.answer"; }
  std::string message(int value) const override {
    return std::string(text_for(static_cast<AnswerError>(value)));
  }
};

}  // namespace

HandshakeKey handshake_key(const Nonce& nonce) {
  static_assert(base64_padded_bytes(Nonce{}.size()) == HandshakeKey{}.size());
  HandshakeKey key;
  encode_base64(key.data(), {reinterpret_cast<const char*>(nonce.data()), nonce.size()});
  return key;
}

std::string write_handshake(const ClientHandshake& handshake) {
  check_line(handshake);
  check_subprotocols(handshake.subprotocols);
  check_fields(handshake.fields);
  check(handshake.compression);
  std::string text;
  text.reserve(512);
  text.append("GET ").append(handshake.target).append(" HTTP/1.1\r\n");
  add(text, "Host", handshake.host);
  add(text, "Upgrade", "websocket");
  add(text, "Connection", "Upgrade");
  add(text, "Sec-WebSocket-Key", handshake.key);
  add(text, "Sec-WebSocket-Version", supported_version);
  if (!handshake.origin.empty()) add(text, "Origin", handshake.origin);
  if (!handshake.subprotocols.empty()) {
    std::string list;
    for (const std::string_view name : handshake.subprotocols) {
      if (!list.empty()) list += ", ";
      list += name;
    }
    add(text, "Sec-WebSocket-Protocol", list);
  }
  const std::string offer = offer_deflate(handshake.compression);
  if (!offer.empty()) add(text, "Sec-WebSocket-Extensions", offer);
  for (const Field& field : handshake.fields) add(text, field.name, field.value);
  return text.append("\r\n");
}

std::error_code make_error_code(AnswerError error) noexcept {
  static const AnswerCategory category;
  return {static_cast<int>(error), category};
}

std::string_view text_for(AnswerError error) noexcept {
  switch (error) {
    case AnswerError::not_switching:
      return "the server did not answer 101";
    case AnswerError::not_http_1_1:
      return "the server answered with HTTP/1.0";
    case AnswerError::missing_upgrade:
      return "the answer's Upgrade is not websocket";
    case AnswerError::missing_connection:
      return "the answer's Connection has no Upgrade";
    case AnswerError::bad_accept:
      return "the answer's Sec-WebSocket-Accept does not fit the key";
    case AnswerError::unknown_extension:
      return "the server chose an extension that was not offered";
    case AnswerError::bad_extension:
      return "the server's parameters of permessage-deflate do not fit the offer";
    case AnswerError::unknown_subprotocol:
      return "the server chose a subprotocol that was not offered";
    case AnswerError::repeated_subprotocol:
      return "the server chose more than one subprotocol";
  }
  return "the WebSocket handshake failed";
}

Result<ClientAgreement> check_answer(const ClientHandshake& handshake, unsigned minor_version,
                                     unsigned status, std::span<const Field> fields) {
  if (status != 101) return AnswerError::not_switching;
  if (minor_version < 1) return AnswerError::not_http_1_1;
  if (!upgrades(fields)) return AnswerError::missing_upgrade;
  if (!has_token(fields, "Connection", "upgrade")) return AnswerError::missing_connection;
  if (!accepts(fields, handshake.key)) return AnswerError::bad_accept;
  const std::vector<std::string_view> extensions = values_of(fields, "Sec-WebSocket-Extensions");
  const auto deflate = check_deflate_answer(extensions, handshake.compression);
  if (!deflate) {
    return deflate.error() == make_error_code(ExtensionError::not_offered)
               ? AnswerError::unknown_extension
               : AnswerError::bad_extension;
  }
  const Result<std::string_view> subprotocol = chosen_subprotocol(handshake, fields);
  if (!subprotocol) return subprotocol.error();
  ClientAgreement agreement;
  agreement.subprotocol = *subprotocol;
  agreement.deflate = *deflate;
  return agreement;
}

}  // namespace squall::websocket
