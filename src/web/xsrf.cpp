// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.hpp"
#include "base/hex.hpp"
#include "base/number.hpp"
#include "base/secrets.hpp"
#include "http/html.hpp"
#include "web/exchange.hpp"
#include "websocket/handshake.hpp"

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/web/request_handler.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <time.h>
#include <utility>

// Requests that are forged by pages of other sites: the token that these cannot know, in Tornado's
// formats, and what browsers tell of where a request comes from.
namespace squall::web {
namespace {

constexpr std::size_t token_bytes = 16;
constexpr std::size_t mask_bytes = 4;

struct Token {
  std::string bytes;
  std::int64_t time = 0;
};

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return {};
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = ascii::hex_value(text[i]);
    const int low = ascii::hex_value(text[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

std::string masked(std::string_view mask, std::string bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(bytes[i] ^ mask[i % mask.size()]);
  }
  return bytes;
}

bool has_version(std::string_view text) noexcept {
  const std::string_view head = text.substr(0, text.find('|'));
  return head.size() < text.size() && !head.empty() && head.front() != '0' &&
         std::all_of(head.begin(), head.end(), ascii::is_digit);
}

// `2|mask|token|time`
std::optional<Token> decode_v2(std::string_view text) {
  std::string_view parts[4];
  std::size_t at = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t end = text.find('|', at);
    if ((end == std::string_view::npos) != (i == 3)) return {};
    parts[i] = text.substr(at, end - at);
    at = end + 1;
  }
  if (parts[0] != "2") return {};
  const auto mask = from_hex(parts[1]);
  auto bytes = from_hex(parts[2]);
  Token token;
  if (!mask || mask->size() != mask_bytes || !bytes || bytes->empty() ||
      !read_number(parts[3], token.time)) {
    return {};
  }
  token.bytes = masked(*mask, std::move(*bytes));
  return token;
}

// Nothing for what is no token; an empty one is none either.
std::optional<Token> decode(std::string_view text) {
  if (text.empty() || text.size() > limits::xsrf_token_bytes) return {};
  if (has_version(text)) return decode_v2(text);
  // Version 1: hexadecimal digits, or else any text.
  auto bytes = from_hex(text);
  return Token{bytes ? std::move(*bytes) : std::string(text), ::time(nullptr)};
}

std::string encode(int version, const Visitor& visitor) {
  std::string text;
  if (version == 1) {
    append_hex(text, visitor.token);
    return text;
  }
  const std::string mask = random_bytes(mask_bytes);
  text = "2|";
  append_hex(text, mask);
  text += '|';
  append_hex(text, masked(mask, visitor.token));
  return text.append(1, '|').append(std::to_string(visitor.token_time));
}

// The client's token, or a new one.
const Visitor& know_token(Exchange& exchange, std::string_view cookie) {
  Visitor& visitor = exchange.visitor();
  if (visitor.token_is_known) return visitor;
  auto sent = decode(cookie);
  visitor.client_has_token = sent.has_value();
  visitor.token = sent ? std::move(sent->bytes) : random_bytes(token_bytes);
  visitor.token_time = sent ? sent->time : ::time(nullptr);
  visitor.token_is_known = true;
  return visitor;
}

}  // namespace

// Of requests that change something, behind the middleware, whose after() sees the refusal. What
// leads nowhere is 404 or 405, as it is without middleware.
void Exchange::check_forgery() {
  if (!worker_.application().checks_forgery || refuses_ || scope_->xsrf_exempt) return;
  const http::Method method = head_->method();
  if (method == http::Method::get || method == http::Method::head ||
      method == http::Method::options) {
    return;
  }
  const Settings& settings = worker_.application().settings;
  if (settings.xsrf_check_origin) check_request_origin();
  if (settings.xsrf_cookies) handler_->check_xsrf_cookie();
}

void Exchange::check_request_origin() const {
  const std::string_view site = request_.header("Sec-Fetch-Site");
  const std::string_view origin = head_->field(http::FieldId::origin);
  // Fetch Metadata Request Headers §2.4: "none" is the user, by an address typed or a bookmark.
  if (site == "same-origin" || site == "none") return;
  const std::vector<std::string>& allowed = worker_.application().xsrf_allowed_origins;
  if (std::find(allowed.begin(), allowed.end(), origin) != allowed.end()) return;
  if (site.empty()) {
    if (!head_->has(http::FieldId::origin)) return;  // no browser
    // A page that came without TLS may be anybody's; it does not speak for the https site.
    const bool may_be_same = !client_is_secure() || origin.starts_with("https://");
    if (may_be_same && websocket::same_origin(origin, host())) return;
  }
  throw HTTPError(403, "a page of another origin sends this request: Sec-Fetch-Site \"" +
                           std::string(site) + "\", Origin \"" + std::string(origin) +
                           "\"; see xsrf_allowed_origins");
}

std::string RequestHandler::xsrf_token() {
  Visitor& visitor = exchange().visitor();
  if (!visitor.token_text.empty()) return visitor.token_text;
  const Settings& set = settings();
  static_cast<void>(know_token(exchange(), get_cookie(set.xsrf_cookie_name)));
  std::string text = encode(set.xsrf_cookie_version, visitor);
  if (!visitor.client_has_token) {
    CookieOptions options = set.xsrf_cookie_options;
    const bool for_good = options.expires_days != 0 || options.expires != 0 || options.max_age >= 0;
    if (!for_good && current_user()) options.expires_days = 30;
    set_cookie(set.xsrf_cookie_name, text, options);
  }
  visitor.token_text = text;
  return text;
}

void RequestHandler::check_xsrf_cookie() {
  std::string text = get_argument("_xsrf", "");
  if (text.empty()) text = request().header("X-XSRFToken");
  if (text.empty()) text = request().header("X-CSRFToken");
  if (text.empty()) {
    throw HTTPError(403, "the _xsrf argument is missing, and so is the header X-XSRFToken");
  }
  const auto token = decode(text);
  if (!token) throw HTTPError(403, "the _xsrf argument is no token");
  const Visitor& expected = know_token(exchange(), get_cookie(settings().xsrf_cookie_name));
  if (!expected.client_has_token || !equal_in_constant_time(token->bytes, expected.token)) {
    throw HTTPError(403, "the _xsrf argument is not the token of the client's cookie");
  }
}

std::string RequestHandler::xsrf_form_html() {
  return "<input type=\"hidden\" name=\"_xsrf\" value=\"" + http::escape_html(xsrf_token()) +
         "\"/>";
}

}  // namespace squall::web
