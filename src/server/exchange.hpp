// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/shared_bytes.hpp"
#include "http/head_parser.hpp"
#include "http/trailers.hpp"
#include "loop/shared_file.hpp"

#include <squall/base/duration.hpp>
#include <squall/base/limits.hpp>
#include <squall/http/request_head.hpp>
#include <squall/net/address.hpp>
#include <squall/net/stream.hpp>
#include <squall/net/tls.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

// The seam between connection and application: who makes the first for a new request
// (ServerDelegate), who receives a request's head and body (MessageDelegate), and who writes a
// response (ResponseWriter). HTTP/1 implements the writer; the web room implements the delegates.
namespace squall::transport {
class WebSocketConnection;
class WebSocketDelegate;
}  // namespace squall::transport

namespace squall::server {

class MessageDelegate;
using transport::WebSocketConnection;
using transport::WebSocketDelegate;

struct ResponseField {
  std::string_view name;
  std::string_view value;
};

/// What is inside a chunk (RFC 9112 §7.1) that is framed already, with no extension.
[[nodiscard]] constexpr std::string_view chunk_payload(std::string_view chunk) noexcept {
  const std::size_t head = chunk.find('\n') + 1;
  return chunk.substr(head, chunk.size() - head - 2);
}

/// Head of a response. The connection adds Date, Server, Content-Length or Transfer-Encoding, and
/// Connection as the protocol needs them.
struct ResponseHead {
  unsigned status = 200;
  std::string_view reason = {};  ///< "" stands for the usual phrase
  std::span<const ResponseField> fields = {};
  std::optional<std::uint64_t> content_length = {};  ///< the body's, when it is known
  bool send_server = true;
  bool send_date = true;
  bool close = false;  ///< the connection ends with this response
};

/// What a client may take for one request's body; the server's options unless a delegate says
/// otherwise.
struct BodyLimits {
  std::uint64_t max_bytes = limits::buffered_body_bytes;  ///< past it the answer is 413
  Duration timeout = Duration::from_seconds(30);          ///< between two pieces; then 408
  std::uint32_t min_rate = 0;  ///< bytes a second on average, after the grace; 0 for any
  Duration rate_grace = Duration::from_seconds(5);  ///< connections start slowly
};

/// Writes the response of one exchange. Dead after finish(), abort() or on_connection_close().
class ResponseWriter {
 public:
  /// Writes the head and the first bytes of the body. With `last` this is the whole response, and
  /// the exchange is over.
  virtual void write_head(const ResponseHead& head, std::string_view body, bool last) = 0;
  /// Writes more of the body. Throws UsageError when it grows past the announced length.
  virtual void write_body(std::string_view bytes) = 0;
  /// The same without a copy.
  virtual void write_owned(std::string&& bytes) = 0;
  virtual void write_file(loop::SharedFile file, off_t offset, std::size_t bytes) = 0;
  /// The same with its framing where the body is chunked, without it elsewhere; of large ones only
  /// a share is taken.
  virtual void write_framed(const SharedBytes& chunk) = 0;
  /// Ends the response. One that is shorter than announced is aborted, so that the client sees it.
  /// Trailers go out when the body is chunked, and are dropped otherwise.
  virtual void finish(std::span<const ResponseField> trailers = {}) = 0;
  /// Sends an interim response (1xx but 101) ahead of the head; nothing to a client of HTTP/1.0
  /// (RFC 9110 §15.2).
  virtual void write_informational(unsigned status, std::span<const ResponseField> fields) = 0;
  /// Breaks the connection, so that the client cannot take what it got for the whole response.
  virtual void abort() noexcept = 0;

  /// Bytes of this connection that the kernel has not taken yet.
  [[nodiscard]] virtual std::size_t pending_bytes() const noexcept = 0;
  /// Calls on_drained() once they are none.
  virtual void request_drain_notice() noexcept = 0;
  /// The exchange goes on with another delegate, which hears of all that comes from now on.
  virtual void set_delegate(MessageDelegate& delegate) noexcept = 0;
  /// Without the client taking enough of this response the connection is broken.
  virtual void set_write_timeout(Duration timeout) noexcept = 0;

  /// No data_received() and no message_complete() until resume_body(). Before the body's first
  /// byte it also holds back the 100 (Continue) and the check of the body's size.
  virtual void pause_body() noexcept = 0;
  /// Goes on in a turn to come.
  virtual void resume_body() noexcept = 0;
  /// Before the body's first byte.
  virtual void set_body_limits(const BodyLimits& limits) = 0;

  [[nodiscard]] virtual const net::SocketAddress& peer() const noexcept = 0;
  /// Whether the connection is TLS, and what it agreed on.
  [[nodiscard]] virtual bool is_secure() const noexcept { return false; }
  [[nodiscard]] virtual net::TLSInfo tls_info() const { return {}; }

  /// Answers a WebSocket handshake with 101 and `fields`; the exchange is over and the connection
  /// is the returned one, which holds messages back until WebSocketConnection::resume().
  virtual WebSocketConnection& accept_websocket(std::span<const ResponseField> fields,
                                                WebSocketDelegate& delegate) = 0;
  /// Answers with 101 to another protocol, which is spoken over the returned stream; the exchange
  /// is over, and the server knows nothing of the connection any more.
  virtual net::Stream switch_protocols(std::string_view protocol,
                                       std::span<const ResponseField> fields) = 0;

 protected:
  ~ResponseWriter() = default;
};

/// Receives one request. It lives until its response is finished or its connection is gone.
class MessageDelegate {
 public:
  /// `head` and its bytes lie in buffers that are used again; see preserve().
  virtual void headers_received(const http::RequestHead& head,
                                const http::RequestFraming& framing) = 0;
  /// A piece of the body; see preserve().
  virtual void data_received(std::string_view bytes) = 0;
  /// The request is whole. `trailers` may be taken; nullptr when there are none.
  virtual void message_complete(http::Trailers* trailers) = 0;
  /// Copy what is still needed of the bytes received so far: they go when this returns. Called
  /// once, the first time it is needed; pieces of the body that come later are gone when
  /// data_received() returns.
  virtual void preserve() = 0;
  /// The kernel has taken all output, after request_drain_notice().
  virtual void on_drained() = 0;
  /// The server shuts down: what waits for long should end its response now.
  virtual void on_shutdown() {}
  /// The client has left or the connection is given up; the writer is gone. The last call.
  virtual void on_connection_close() = 0;

 protected:
  ~MessageDelegate() = default;
};

/// Makes the receiver of each new request.
class ServerDelegate {
 public:
  virtual MessageDelegate& start_request(ResponseWriter& writer) = 0;

 protected:
  ~ServerDelegate() = default;
};

}  // namespace squall::server
