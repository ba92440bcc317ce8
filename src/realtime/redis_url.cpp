// SPDX-License-Identifier: Apache-2.0
#include "realtime/redis_url.hpp"

#include "base/ascii.hpp"
#include "base/number.hpp"

#include <squall/base/error.hpp>

namespace squall::realtime {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw UsageError("the URL of the Redis broker " + what +
                   "; it looks like redis://user:password@host:6379/0 or unix:///path?db=0");
}

std::string decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? ascii::hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? ascii::hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) refuse("has a '%' without two hexadecimal digits");
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

template <class Number>
Number number(std::string_view text, Number highest, const char* what) {
  std::uint32_t value = 0;
  if (!read_number(text, value) || value > highest) refuse("has a bad " + std::string(what));
  return static_cast<Number>(value);
}

bool take_prefix(std::string_view& text, std::string_view prefix) noexcept {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

void parse_unix(std::string_view rest, RedisTarget& target) {
  std::string_view path = rest;
  if (const auto query = rest.find('?'); query != std::string_view::npos) {
    path = rest.substr(0, query);
    std::string_view parameter = rest.substr(query + 1);
    if (!take_prefix(parameter, "db=")) refuse("has a parameter other than db");
    target.database = number<unsigned>(parameter, 65535, "database number");
  }
  // unix://user:password@/path: who asks stands before the '@' here too.
  if (path.empty() || path.front() != '/') refuse("names no absolute path of a socket");
  target.unix_path = decode(path);
}

void parse_credentials(std::string_view text, RedisTarget& target) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) refuse("has a user without a password");
  target.user = decode(text.substr(0, colon));
  target.password = decode(text.substr(colon + 1));
}

void parse_host(std::string_view text, RedisTarget& target) {
  if (!text.empty() && text.front() == '[') {  // an IPv6 address
    const auto end = text.find(']');
    if (end == std::string_view::npos) refuse("has a '[' without its ']'");
    target.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!text.empty() && text.front() != ':') refuse("has something behind the address");
    if (!text.empty()) text.remove_prefix(1);
    if (!text.empty()) target.port = number<std::uint16_t>(text, 65535, "port");
  } else {
    const auto colon = text.find(':');
    target.host = decode(text.substr(0, colon));
    if (colon != std::string_view::npos) {
      target.port = number<std::uint16_t>(text.substr(colon + 1), 65535, "port");
    }
  }
  if (target.host.empty()) refuse("names no host");
  if (target.port == 0) refuse("has a bad port");
}

}  // namespace

std::string RedisTarget::name() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

RedisTarget parse_redis_url(std::string_view url) {
  RedisTarget target;
  std::string_view rest = url;
  bool is_unix = false;
  if (take_prefix(rest, "rediss://")) {
    target.tls = true;
  } else if (take_prefix(rest, "unix://") || take_prefix(rest, "redis+unix://")) {
    is_unix = true;
  } else if (!take_prefix(rest, "redis://")) {
    refuse("begins with none of redis://, rediss://, unix://");
  }
  // The last '@' ends the credentials, so that an undecoded one in a password does no harm.
  const auto slash = is_unix ? std::string_view::npos : rest.find('/', rest.rfind('@') + 1);
  std::string_view authority = is_unix ? rest : rest.substr(0, slash);
  if (const auto at = authority.rfind('@');
      at != std::string_view::npos && (!is_unix || authority.front() != '/')) {
    parse_credentials(authority.substr(0, at), target);
    authority.remove_prefix(at + 1);
  }
  if (is_unix) {
    parse_unix(authority, target);
    return target;
  }
  parse_host(authority, target);
  if (slash != std::string_view::npos && slash + 1 < rest.size()) {
    target.database = number<unsigned>(rest.substr(slash + 1), 65535, "database number");
  }
  return target;
}

}  // namespace squall::realtime
