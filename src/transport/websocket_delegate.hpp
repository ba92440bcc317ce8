// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/websocket/close_code.hpp>

#include <string_view>

namespace squall::transport {

/// Receives a WebSocket's events, all from the loop, never inside a call to its connection, but
/// for messages that resume() hands over.
class WebSocketDelegate {
 public:
  /// A whole message; its bytes are gone when this returns. False means busy: messages wait until
  /// WebSocketConnection::resume().
  virtual bool on_message(bool binary, std::string_view payload) = 0;
  /// The same for a piece of a message, after WebSocketConnection::set_streaming(true). Pieces of
  /// text may be cut inside a character; only the last may be empty.
  virtual bool on_piece(bool /*binary*/, std::string_view /*piece*/, bool /*last*/) { return true; }
  virtual void on_ping(std::string_view payload) = 0;
  virtual void on_pong(std::string_view payload) = 0;
  /// The kernel has taken all output, after request_drain_notice().
  virtual void on_drained() = 0;
  /// The end, exactly once and last; the connection is gone when this returns. `code` is the
  /// peer's, or why we failed the connection, or abnormal when there was no close handshake.
  virtual void on_close(websocket::CloseCode code, std::string_view reason) = 0;

 protected:
  ~WebSocketDelegate() = default;
};

}  // namespace squall::transport
