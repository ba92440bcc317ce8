// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/websocket_connection.hpp"
#include "transport/websocket_delegate.hpp"

#include <squall/websocket/close_code.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace squall::transport {

using websocket::CloseCode;
using websocket::Opcode;

/// A masked client frame with the key zero, so that its payload is readable; or an unmasked one.
inline std::string frame(Opcode opcode, std::string_view payload, bool fin = true,
                         bool masked = true) {
  const int mask = masked ? 0x80 : 0;
  std::string bytes;
  bytes.push_back(static_cast<char>((fin ? 0x80 : 0) | static_cast<int>(opcode)));
  if (payload.size() < 126) {
    bytes.push_back(static_cast<char>(mask | static_cast<int>(payload.size())));
  } else {
    bytes.push_back(static_cast<char>(mask | 126));
    bytes.push_back(static_cast<char>(payload.size() >> 8));
    bytes.push_back(static_cast<char>(payload.size() & 0xff));
  }
  if (masked) bytes.append(4, '\0');
  bytes += payload;
  return bytes;
}
inline std::string close_frame(int code, bool masked = true) {
  const char payload[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return frame(Opcode::close, {payload, 2}, true, masked);
}

/// Writes down what a connection tells its delegate.
class RecordingDelegate : public WebSocketDelegate {
 protected:
  bool on_message(bool binary, std::string_view payload) override {
    messages.push_back((binary ? "b:" : "t:") + std::string(payload));
    if (echo) connection->send(binary ? Opcode::binary : Opcode::text, payload);
    return !busy;
  }
  void on_ping(std::string_view payload) override {
    messages.push_back("ping:" + std::string(payload));
  }
  void on_pong(std::string_view payload) override {
    messages.push_back("pong:" + std::string(payload));
  }
  void on_drained() override { ++drained; }
  void on_close(CloseCode code, std::string_view reason) override {
    ++closes;
    closed_with = std::to_string(static_cast<int>(code)) + " " + std::string(reason);
    connection = nullptr;
  }

  WebSocketConnection* connection = nullptr;
  std::vector<std::string> messages;
  bool open_at_once = true;
  bool echo = false;
  bool busy = false;
  int drained = 0;
  int closes = 0;
  std::string closed_with;
};

}  // namespace squall::transport
