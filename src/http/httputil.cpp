// SPDX-License-Identifier: Apache-2.0
#include "base/number.hpp"
#include "http/cookie.hpp"
#include "http/date.hpp"

#include <squall/escape.hpp>
#include <squall/httputil.hpp>

#include <algorithm>
#include <cstddef>

namespace squall::httputil {
namespace {

template <class Arguments>
std::string concat(std::string_view url, const Arguments& arguments) {
  const std::size_t fragment = std::min(url.find('#'), url.size());
  std::string out(url.substr(0, fragment));
  const bool has_query = out.find('?') != std::string::npos;
  for (const auto& [name, value] : arguments) {
    if (!has_query && out.size() == fragment) {
      out += '?';
    } else if (!out.ends_with('?') && !out.ends_with('&')) {
      out += '&';
    }
    out.append(url_escape(name)).append("=").append(url_escape(value));
  }
  return out.append(url.substr(fragment));
}

}  // namespace

std::string url_concat(
    std::string_view url,
    std::initializer_list<std::pair<std::string_view, std::string_view>> arguments) {
  return concat(url, arguments);
}
std::string url_concat(std::string_view url,
                       const std::vector<std::pair<std::string, std::string>>& arguments) {
  return concat(url, arguments);
}

HostAndPort split_host_and_port(std::string_view authority) noexcept {
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return {authority, -1};
  const std::string_view host = authority.substr(0, colon);
  const bool is_literal = host.starts_with('[') && host.ends_with(']');
  if (host.empty() || (!is_literal && host.find(':') != std::string_view::npos)) {
    return {authority, -1};
  }
  std::uint16_t port = 0;
  if (!read_number(authority.substr(colon + 1), port)) return {authority, -1};
  return {host, port};
}

std::string format_timestamp(std::int64_t unix_seconds) {
  std::string out(http::http_date_size, '\0');
  http::format_http_date(unix_seconds, out.data());
  return out;
}

std::map<std::string, std::string, std::less<>> parse_cookie(std::string_view field) {
  std::map<std::string, std::string, std::less<>> out;
  http::parse_cookie(field, [&out](std::string_view name, std::string_view raw) {
    out.insert_or_assign(std::string(name), http::unquote_cookie(raw));
  });
  return out;
}

}  // namespace squall::httputil
