// SPDX-License-Identifier: Apache-2.0
#include "http/set_cookie.hpp"

#include "http/ascii.hpp"
#include "http/date.hpp"
#include "http/tokens.hpp"

#include <algorithm>

namespace squall::http {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.http.cookie"; }
  std::string message(int value) const override {
    switch (static_cast<CookieError>(value)) {
      case CookieError::bad_name:
        return "cookie name is not a token";
      case CookieError::bad_value:
        return "control character or space in a cookie value";
      case CookieError::bad_attribute:
        return "control character, space or semicolon in a cookie attribute";
      case CookieError::bad_samesite:
        return "cookie samesite is not Strict, Lax or None";
      case CookieError::bad_secure_prefix:
        return "browsers take a cookie whose name begins with __Secure- only with `secure`";
      case CookieError::bad_host_prefix:
        return "browsers take a cookie whose name begins with __Host- only with `secure`, the path "
               "\"/\" and no domain";
    }
    return "unknown error";
  }
};

bool is_cookie_octet(char c) noexcept {
  return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

/// A space or control here could begin another attribute, or another field.
bool is_attribute(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != ';';
  });
}

std::string_view canonical_samesite(std::string_view text) noexcept {
  for (const std::string_view known : {"Strict", "Lax", "None"}) {
    if (ascii::equal(text, known)) return known;
  }
  return {};
}

void append_value(std::string& out, std::string_view value) {
  if (std::all_of(value.begin(), value.end(), is_cookie_octet)) {
    out += value;
    return;
  }
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (is_cookie_octet(c)) {
      out += c;
    } else {
      const auto code = static_cast<unsigned char>(c);
      out += '\\';
      out += static_cast<char>('0' + (code >> 6));
      out += static_cast<char>('0' + (code >> 3 & 7));
      out += static_cast<char>('0' + (code & 7));
    }
  }
  out += '"';
}

// Browsers look at prefixes in any case.
bool begins_with(std::string_view name, std::string_view prefix) noexcept {
  return ascii::equal(name.substr(0, prefix.size()), prefix);
}

}  // namespace

bool has_secure_prefix(std::string_view name) noexcept {
  return begins_with(name, "__Secure-") || begins_with(name, "__Host-");
}

std::error_code make_error_code(CookieError error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

Result<std::string> serialize(const SetCookie& cookie) {
  if (!is_token(cookie.name)) return CookieError::bad_name;
  const bool clean = std::all_of(cookie.value.begin(), cookie.value.end(),
                                 [](char c) { return static_cast<unsigned char>(c) > 0x20; });
  if (!clean) return CookieError::bad_value;
  if (!is_attribute(cookie.domain) || !is_attribute(cookie.path)) {
    return CookieError::bad_attribute;
  }
  const std::string_view samesite = canonical_samesite(cookie.samesite);
  if (samesite.empty() && !cookie.samesite.empty()) return CookieError::bad_samesite;
  if (begins_with(cookie.name, "__Secure-") && !cookie.secure) {
    return CookieError::bad_secure_prefix;
  }
  if (begins_with(cookie.name, "__Host-") &&
      (!cookie.secure || cookie.path != "/" || !cookie.domain.empty())) {
    return CookieError::bad_host_prefix;
  }

  std::string out;
  out.reserve(cookie.name.size() + cookie.value.size() + 96);
  out += cookie.name;
  out += '=';
  append_value(out, cookie.value);
  const auto attribute = [&out](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += name;
    out += value;
  };
  attribute("; Domain=", cookie.domain);
  if (cookie.expires) {
    char date[http_date_size];
    format_http_date(*cookie.expires, date);
    attribute("; Expires=", {date, http_date_size});
  }
  if (cookie.max_age) attribute("; Max-Age=", std::to_string(*cookie.max_age));
  attribute("; Path=", cookie.path);
  if (cookie.secure) out += "; Secure";
  if (cookie.httponly) out += "; HttpOnly";
  attribute("; SameSite=", samesite);
  if (cookie.partitioned) out += "; Partitioned";
  return out;
}

}  // namespace squall::http
