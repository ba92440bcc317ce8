// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "base/secrets.hpp"
#include "base/utf8.hpp"
#include "web/challenge.hpp"

#include <squall/base/error.hpp>
#include <squall/web/auth.hpp>
#include <squall/web/http_error.hpp>
#include <squall/web/request_handler.hpp>

#include <algorithm>
#include <utility>

namespace squall::web {
namespace {

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// RFC 6750 §2.1: b64token.
bool is_token68(std::string_view text) noexcept {
  const std::size_t end = text.find_last_not_of('=') + 1;  // 0 for "==="
  return end != 0 &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), [](char c) {
           return ascii::is_alphanumeric(c) ||
                  std::string_view("-._~+/").find(c) != std::string_view::npos;
         });
}

// RFC 6750 §3: error_description and scope are narrower than a quoted-string.
std::string plain_quoted(std::string_view what, std::string_view text) {
  const bool fits = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
  if (!fits) {
    throw UsageError("BearerChallenge::" + std::string(what) +
                     " is ASCII without quotation marks and backslashes (RFC 6750 §3)");
  }
  return "\"" + std::string(text) + "\"";
}

}  // namespace

Authorization authorization_of(const RequestHandler& handler, std::string_view scheme) {
  const HTTPServerRequest& request = handler.request();
  Authorization found;
  std::size_t fields = 0;
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    if (!ascii::equal(request.header_name(i), "Authorization")) continue;
    ++fields;
    const std::string_view value = request.header_value(i);
    const std::size_t space = value.find(' ');
    if (!ascii::equal(value.substr(0, space), scheme)) continue;
    found.state = Authorization::State::present;
    const std::size_t begin = value.find_first_not_of(' ', std::min(space, value.size()));
    found.text = begin == std::string_view::npos ? std::string_view() : value.substr(begin);
  }
  if (fields > 1) found = {Authorization::State::malformed, {}};
  return found;
}

std::string quoted_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (is_control(c)) throw UsageError("a realm has no control characters");
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

void end_with_challenges(RequestHandler& handler, int status,
                         std::span<const std::string> challenges) {
  handler.clear();
  handler.set_status(status);
  for (const std::string& challenge : challenges) {
    handler.add_header("WWW-Authenticate", challenge);
  }
  handler.write_error(status, nullptr);
  if (!handler.is_finished()) handler.finish();
  throw Finish();
}

bool equal_secrets(std::string_view left, std::string_view right) {
  // Their hashes have one length, and with a key that nobody knows, say nothing.
  static const std::string key = random_bytes(32);
  return equal_in_constant_time(hmac_sha256(key, left), hmac_sha256(key, right));
}

std::optional<BasicCredentials> get_basic_credentials(const RequestHandler& handler) {
  const Authorization sent = authorization_of(handler, "Basic");
  if (sent.state != Authorization::State::present) return {};
  const std::optional<std::string> pair = decode_base64(sent.text);
  if (!pair || !is_utf8(*pair) || std::any_of(pair->begin(), pair->end(), is_control)) return {};
  const std::size_t colon = pair->find(':');
  if (colon == std::string::npos) return {};
  return BasicCredentials{pair->substr(0, colon), pair->substr(colon + 1)};
}

void challenge_basic(RequestHandler& handler, std::string_view realm) {
  const std::string challenge = "Basic realm=" + quoted_string(realm) + ", charset=\"UTF-8\"";
  end_with_challenges(handler, 401, {&challenge, 1});
}

BasicCredentials require_basic_credentials(RequestHandler& handler, std::string_view realm) {
  std::optional<BasicCredentials> sent = get_basic_credentials(handler);
  if (!sent) challenge_basic(handler, realm);
  return std::move(*sent);
}

OptionalString get_bearer_token(const RequestHandler& handler) {
  const Authorization sent = authorization_of(handler, "Bearer");
  if (sent.state != Authorization::State::present || !is_token68(sent.text)) return {};
  return sent.text;
}

void challenge_bearer(RequestHandler& handler, const BearerChallenge& challenge) {
  std::string text;
  const auto add = [&text](std::string_view name, const std::string& value) {
    text.append(text.empty() ? " " : ", ").append(name).append("=").append(value);
  };
  if (!challenge.realm.empty()) add("realm", quoted_string(challenge.realm));
  int status = 401;
  switch (challenge.error) {
    case BearerError::none:
      break;
    case BearerError::invalid_request:
      status = 400;
      add("error", "\"invalid_request\"");
      break;
    case BearerError::invalid_token:
      add("error", "\"invalid_token\"");
      break;
    case BearerError::insufficient_scope:
      status = 403;
      add("error", "\"insufficient_scope\"");
      break;
  }
  if (!challenge.description.empty()) {
    add("error_description", plain_quoted("description", challenge.description));
  }
  if (!challenge.scope.empty()) add("scope", plain_quoted("scope", challenge.scope));
  const std::string whole = "Bearer" + text;
  end_with_challenges(handler, status, {&whole, 1});
}

std::string require_bearer_token(RequestHandler& handler, std::string_view realm) {
  OptionalString token = get_bearer_token(handler);
  if (token) return *token;
  const Authorization sent = authorization_of(handler, "Bearer");
  challenge_bearer(
      handler, {.realm = realm,
                .error = sent.state == Authorization::State::none ? BearerError::none
                                                                  : BearerError::invalid_request});
}

}  // namespace squall::web
