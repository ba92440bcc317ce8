// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/http/method.hpp>
#include <squall/web/request_body.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall::net {
struct TLSInfo;
}

namespace squall::web {

class Exchange;
class HTTPFile;

/// The request that a handler answers. Views from it are valid as long as the handler (of a
/// WebSocket: until open() has ended).
class HTTPServerRequest {
 public:
  [[nodiscard]] http::Method method() const noexcept;
  [[nodiscard]] std::string_view method_name() const noexcept;
  /// The request target as the client sent it.
  [[nodiscard]] std::string_view uri() const noexcept;
  /// The target's path, not percent-decoded.
  [[nodiscard]] std::string_view path() const noexcept;
  /// The target's query, without the question mark.
  [[nodiscard]] std::string_view query() const noexcept;
  /// "HTTP/1.1" or "HTTP/1.0".
  [[nodiscard]] std::string_view version() const noexcept;

  /// The first field of that name in any case, "" when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
  [[nodiscard]] bool has_header(std::string_view name) const noexcept;
  [[nodiscard]] std::size_t header_count() const noexcept;
  [[nodiscard]] std::string_view header_name(std::size_t index) const noexcept;
  [[nodiscard]] std::string_view header_value(std::size_t index) const noexcept;

  /// Whole when the verb runs, or to be read in pieces by a handler that streams.
  [[nodiscard]] RequestBody body() const noexcept;
  /// A field of the trailer section, which comes after a chunked body (RFC 9110 §6.5), "" when
  /// there is none; known once the body has been read to its end. Fields that may not stand there
  /// (of framing, routing, authentication, content) are never seen.
  [[nodiscard]] std::string_view trailer(std::string_view name) const noexcept;

  /// Whether the client offers to go on with another protocol (RFC 9110 §7.8), as "websocket".
  [[nodiscard]] bool has_upgrade(std::string_view protocol) const noexcept;
  /// The files of a multipart form (<squall/web/http_file.hpp>), in order; those of one field when
  /// `name` says which. They may be moved out. HTTPError (400, 413) when the form is malformed or
  /// past a limit.
  [[nodiscard]] std::vector<HTTPFile>& files() const;
  [[nodiscard]] std::vector<HTTPFile*> files(std::string_view name) const;

  // Host, address and protocol are the client's own also behind proxies that
  // Settings::trusted_proxies names, if these tell them.

  /// Where the client connects to, with the port if it sent one.
  [[nodiscard]] std::string_view host() const noexcept;
  /// The client's address, "unix" for a unix socket.
  [[nodiscard]] std::string remote_ip() const;
  /// Who has sent the request here: the client, or the nearest proxy; with the PROXY protocol, whom
  /// that names.
  [[nodiscard]] std::string connection_ip() const;
  /// "http" or "https".
  [[nodiscard]] std::string_view protocol() const noexcept;
  /// What TLS agreed on with the client, and the client's certificate; nullptr over plain HTTP. To
  /// be asked for while the client waits for its response.
  [[nodiscard]] const net::TLSInfo* tls() const;
  /// protocol, host and uri together.
  [[nodiscard]] std::string full_url() const;
  /// Seconds since the request's head was complete.
  [[nodiscard]] double request_time() const noexcept;

 private:
  friend class Exchange;
  explicit HTTPServerRequest(Exchange& exchange) noexcept : exchange_(exchange) {}
  Exchange& exchange_;
};

}  // namespace squall::web
