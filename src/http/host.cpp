// SPDX-License-Identifier: Apache-2.0
#include "http/host.hpp"

#include "http/ascii.hpp"

#include <cstddef>

namespace squall::http {
namespace {

bool is_ipv4(std::string_view text) noexcept {
  for (int part = 0; part < 4; ++part) {
    std::size_t digits = 0;
    unsigned value = 0;
    while (digits < text.size() && digits < 3 && ascii::is_digit(text[digits])) {
      value = value * 10 + static_cast<unsigned>(text[digits++] - '0');
    }
    if (digits == 0 || value > 255 || (digits > 1 && text[0] == '0')) return false;
    text.remove_prefix(digits);
    if (part == 3) break;
    if (text.empty() || text[0] != '.') return false;
    text.remove_prefix(1);
  }
  return text.empty();
}

/// `v` 1*HEXDIG `.` 1*( unreserved / sub-delims / `:` ) (RFC 3986 §3.2.2)
bool is_ip_future(std::string_view text) noexcept {
  std::size_t at = 1;
  while (at < text.size() && ascii::hex_value(text[at]) >= 0) ++at;
  if (at == 1 || at + 1 >= text.size() || text[at] != '.') return false;
  for (++at; at < text.size(); ++at) {
    if (!ascii::is(text[at], ascii::host) && text[at] != ':') return false;
  }
  return true;
}

bool is_port(std::string_view digits) noexcept {
  unsigned value = 0;
  for (const char c : digits) {
    if (!ascii::is_digit(c)) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > 65535) return false;
  }
  return true;
}

/// What follows the host: nothing, or a colon and a port, which may be empty (RFC 3986 §3.2.3).
bool is_port_part(std::string_view rest, PortRule rule) noexcept {
  if (rest.empty()) return rule == PortRule::optional;
  if (rest.front() != ':') return false;
  rest.remove_prefix(1);
  return is_port(rest) && (rule == PortRule::optional || !rest.empty());
}

}  // namespace

bool is_ipv6(std::string_view text) noexcept {
  unsigned groups = 0;
  bool gap = false;
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
    if (text.empty()) return true;
  }
  for (;;) {
    std::size_t digits = 0;
    while (digits < text.size() && ascii::hex_value(text[digits]) >= 0) ++digits;
    if (digits < text.size() && text[digits] == '.') {
      groups += 2;
      return is_ipv4(text) && (gap ? groups <= 7 : groups == 8);
    }
    if (digits == 0 || digits > 4) return false;
    ++groups;
    text.remove_prefix(digits);
    if (text.empty()) return gap ? groups <= 7 : groups == 8;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    if (text.starts_with(':')) {
      if (gap) return false;
      gap = true;
      text.remove_prefix(1);
      if (text.empty()) return groups <= 7;
    }
  }
}

bool is_authority(std::string_view authority, PortRule port) noexcept {
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view address = authority.substr(1, close - 1);
    const bool future = address.starts_with('v') || address.starts_with('V');
    if (!(future ? is_ip_future(address) : is_ipv6(address))) return false;
    return is_port_part(authority.substr(close + 1), port);
  }
  std::size_t at = 0;
  while (at < authority.size()) {
    if (ascii::is(authority[at], ascii::host)) {
      ++at;
    } else if (authority[at] == '%') {
      if (authority.size() - at < 3 || ascii::hex_value(authority[at + 1]) < 0 ||
          ascii::hex_value(authority[at + 2]) < 0) {
        return false;
      }
      at += 3;
    } else {
      break;
    }
  }
  return at != 0 && is_port_part(authority.substr(at), port);
}

}  // namespace squall::http
