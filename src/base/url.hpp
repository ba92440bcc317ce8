// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace squall {

/// Why a text is no URL that can be connected to.
enum class UrlError : std::uint8_t {
  malformed = 1,  ///< not in the grammar of RFC 3986
  no_scheme,      ///< not absolute: no `scheme://` in front
  no_host,        ///< no host between `//` and the path
  bad_host,       ///< a host with other characters than names and addresses have
  bad_port,       ///< not 1 to 65535
  too_long,       ///< more than limits::url_bytes
};
std::error_code make_error_code(UrlError error) noexcept;

/// The parts of an absolute URL with an authority (RFC 3986 §3), ready to connect to.
struct Url {
  std::string scheme;  ///< in lower case
  std::string user;    ///< percent-decoded, as `password`
  std::string password;
  std::string host;        ///< in lower case; IPv6 addresses without brackets
  std::uint16_t port = 0;  ///< the scheme's default when none is given; 0 where there is none
  std::string target;      ///< path and query, percent-encoded; begins with '/'
  bool has_user = false;   ///< whether there is user information, which may be empty

  /// The scheme's default port: of ws, wss, http, https, socks5; 0 for others.
  [[nodiscard]] std::uint16_t default_port() const noexcept;
  /// Host and port as a Host field has them (RFC 9110 §7.2): without the default port.
  [[nodiscard]] std::string authority() const;
  /// The same, always with the port.
  [[nodiscard]] std::string host_and_port() const;
  /// The whole without user information: fit to be shown and logged.
  [[nodiscard]] std::string text() const;
};

/// Parses an absolute URL. The fragment is dropped. Characters that RFC 3986 wants encoded but
/// people write, such as spaces and UTF-8, are percent-encoded in path and query (WHATWG URL §4.4).
[[nodiscard]] Result<Url> parse_url(std::string_view text);

/// Resolves `reference`, a Location field's value, against `base` (RFC 3986 §5).
[[nodiscard]] Result<Url> resolve_url(const Url& base, std::string_view reference);

}  // namespace squall

template <>
struct std::is_error_code_enum<squall::UrlError> : std::true_type {};
