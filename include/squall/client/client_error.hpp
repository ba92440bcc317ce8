// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::client {

/// Why a client got no connection or no answer, where no layer below has a word for it.
enum class ClientError : std::uint8_t {
  unsupported_scheme = 1,  ///< the URL's is none of those that the call is for
  connection_ended,        ///< the server has ended the connection before its answer was whole
  too_many_redirects,      ///< more than the options allow
  bad_redirect,            ///< to nowhere, or to a URL that cannot be connected to
  insecure_redirect,       ///< from TLS to a connection without
  bad_proxy,               ///< the proxy's URL is malformed, or neither http:// nor socks5://
  secure_proxy,            ///< the proxy's URL is https://: TLS to the proxy is not supported
  proxy_unauthorized,      ///< the proxy wants other credentials (407, 401; RFC 1929)
  proxy_refused,           ///< the proxy does not connect to the server
  bad_proxy_answer,        ///< the proxy's answer is not in its protocol
};
std::error_code make_error_code(ClientError error) noexcept;

/// The category of the errors whose value is the HTTP status with which a server has refused.
[[nodiscard]] const std::error_category& refused_category() noexcept;
/// That status; 0 for other errors.
[[nodiscard]] inline unsigned refused_status(const std::error_code& error) noexcept {
  return error.category() == refused_category() ? static_cast<unsigned>(error.value()) : 0;
}

/// Thrown by websocket_connect(); the text names the URL and the reason.
class WebSocketConnectError : public Error {
 public:
  WebSocketConnectError(std::string url, std::error_code code, std::string body);
  /// ClientError, a UrlError, net::ResolveError, net::TLSError, an error of the handshake or of the
  /// operating system; refused_category(); std::errc::timed_out past the connect_timeout.
  [[nodiscard]] std::error_code code() const noexcept { return code_; }
  /// The status of an answer that refuses the WebSocket; 0 when there was none.
  [[nodiscard]] unsigned status() const noexcept { return refused_status(code_); }
  /// The beginning of that answer's body, limits::refused_body_bytes at most.
  [[nodiscard]] const std::string& body() const noexcept { return body_; }
  /// Where it was connected to, after redirects; without user and password.
  [[nodiscard]] const std::string& url() const noexcept { return url_; }

 private:
  std::string url_;
  std::string body_;
  std::error_code code_;
};

/// Thrown out of a wait for output when the connection has ended.
class WebSocketClosedError : public Error {
 public:
  WebSocketClosedError() : Error("the WebSocket is closed") {}
};

}  // namespace squall::client

template <>
struct std::is_error_code_enum<squall::client::ClientError> : std::true_type {};
