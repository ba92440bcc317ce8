// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/url.hpp"

#include <squall/base/result.hpp>
#include <squall/coro/task.hpp>
#include <squall/net/stream.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::client {

/// Parses a proxy's URL: http://[user:password@]host:port, or socks5:// in its place. The scheme
/// may be left out and is http then. ClientError::secure_proxy for https, bad_proxy for others.
[[nodiscard]] Result<Url> parse_proxy(std::string_view text);

/// The proxy that the environment names for `url`, "" for none: http_proxy for ws and http,
/// https_proxy for wss and https, else all_proxy; in capitals too, but for http_proxy, which a
/// server's CGI would let its clients set. Not for what no_proxy names.
[[nodiscard]] std::string proxy_of_environment(const Url& url);

/// Whether `list`, as in no_proxy, names the host of `url`: `*`, or names and addresses with commas
/// between them, each of which also stands for its subdomains, and may have a port.
[[nodiscard]] bool is_excepted(std::string_view list, const Url& url) noexcept;

/// Base64 of the credentials, as Basic authentication has them (RFC 7617).
[[nodiscard]] std::string basic_credentials(const Url& url);

/// Has the proxy at the other end of `stream` connect to the host of `target`, by CONNECT
/// (RFC 9110 §9.3.6) or SOCKS5 (RFC 1928, with names, which the proxy looks up). Without an error
/// the stream leads there.
[[nodiscard]] Task<std::error_code> connect_through(net::Stream* stream, const Url* proxy,
                                                    const Url* target);

}  // namespace squall::client
