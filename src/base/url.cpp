// SPDX-License-Identifier: Apache-2.0
#include "base/url.hpp"

#include "base/ascii.hpp"

#include <squall/base/limits.hpp>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace squall {
namespace {

namespace urls = boost::urls;

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.url"; }
  std::string message(int value) const override {
    switch (static_cast<UrlError>(value)) {
      case UrlError::malformed:
        return "malformed URL";
      case UrlError::no_scheme:
        return "not an absolute URL: it needs a scheme such as https://";
      case UrlError::no_host:
        return "a URL without a host";
      case UrlError::bad_host:
        return "a character in the URL's host that no name has (write international names in "
               "their xn-- form)";
      case UrlError::bad_port:
        return "the URL's port is not 1 to 65535";
      case UrlError::too_long:
        return "the URL is too long";
    }
    return "unknown error";
  }
};

// Of what may stand in a URL only after it was percent-encoded, what cannot be mistaken for a part
// of its structure.
bool wants_encoding(unsigned char c) noexcept {
  constexpr std::string_view marks = "\"<>\\^`{|}";
  return c == ' ' || c >= 0x80 || marks.find(static_cast<char>(c)) != std::string_view::npos;
}

std::string encode_what_people_write(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (!wants_encoding(byte)) {
      encoded.push_back(c);
      continue;
    }
    encoded.push_back('%');
    encoded.push_back(digits[byte >> 4]);
    encoded.push_back(digits[byte & 15]);
  }
  return encoded;
}

bool is_name_byte(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

std::string string_of(std::string_view text) { return std::string(text); }

Result<Url> parts_of(const urls::url_view_base& parsed) {
  Url url;
  url.scheme = string_of(parsed.scheme());
  ascii::make_lower(url.scheme);
  if (url.scheme.empty()) return UrlError::no_scheme;
  if (!parsed.has_authority() || parsed.encoded_host().empty()) return UrlError::no_host;
  switch (parsed.host_type()) {
    case urls::host_type::ipv4:
    case urls::host_type::ipv6:
      url.host = parsed.host_address();
      ascii::make_lower(url.host);
      break;
    case urls::host_type::name:
      url.host = string_of(parsed.encoded_host());
      ascii::make_lower(url.host);
      // A byte that is encoded, as a line's end, has no business in a name.
      if (!std::all_of(url.host.begin(), url.host.end(), is_name_byte)) return UrlError::bad_host;
      break;
    default:
      return UrlError::bad_host;
  }
  url.port = url.default_port();
  if (parsed.has_port() && !parsed.port().empty()) {
    const std::string digits = string_of(parsed.port());
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (read.ec != std::errc() || url.port == 0) return UrlError::bad_port;
  }
  url.has_user = parsed.has_userinfo();
  url.user = parsed.user();
  url.password = parsed.password();
  url.target = string_of(parsed.encoded_path());
  // Boost 1.81 takes "ws://a:8x/" for port 8 and the path "x/", which RFC 3986 §3 does not allow.
  if (!url.target.empty() && url.target.front() != '/') return UrlError::malformed;
  // RFC 3986 §5.2.4: what would lead above the root leads to it.
  while (url.target.starts_with("/../")) url.target.erase(0, 3);
  if (url.target.empty() || url.target == "/..") url.target = "/";
  if (parsed.has_query()) url.target.append("?").append(string_of(parsed.encoded_query()));
  return url;
}

}  // namespace

std::error_code make_error_code(UrlError error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

std::uint16_t Url::default_port() const noexcept {
  if (scheme == "ws" || scheme == "http") return 80;
  if (scheme == "wss" || scheme == "https") return 443;
  if (scheme == "socks5" || scheme == "socks5h") return 1080;
  return 0;
}

std::string Url::host_and_port() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  std::string all = is_ipv6 ? "[" + host + "]" : host;
  return all.append(":").append(std::to_string(port));
}

std::string Url::authority() const {
  std::string all = host_and_port();
  if (port == default_port()) all.resize(all.rfind(':'));
  return all;
}

std::string Url::text() const { return scheme + "://" + authority() + target; }

Result<Url> parse_url(std::string_view text) {
  if (text.size() > limits::url_bytes) return UrlError::too_long;
  const std::string encoded = encode_what_people_write(text);
  const auto parsed = urls::parse_uri(encoded);
  if (!parsed) {
    const bool has_scheme = text.find("://") != std::string_view::npos;
    return has_scheme ? UrlError::malformed : UrlError::no_scheme;
  }
  return parts_of(*parsed);
}

Result<Url> resolve_url(const Url& base, std::string_view reference) {
  if (reference.size() > limits::url_bytes) return UrlError::too_long;
  const std::string encoded = encode_what_people_write(reference);
  const auto parsed = urls::parse_uri_reference(encoded);
  if (!parsed) return UrlError::malformed;
  const std::string base_text = base.text();
  const auto base_parsed = urls::parse_uri(base_text);
  if (!base_parsed) return UrlError::malformed;
  urls::url resolved;
  if (!urls::resolve(*base_parsed, *parsed, resolved)) return UrlError::malformed;
  return parts_of(resolved);
}

}  // namespace squall
