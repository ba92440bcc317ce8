// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>
#include <squall/web/detail/hub_fwd.hpp>
#include <squall/web/handler.hpp>
#include <squall/web/websocket_handler.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace squall::web {

class HubClient;

struct HubSocketOptions {
  /// Whether clients may publish, where the hub's authorizer agrees; without an authorizer: all of
  /// them, everywhere.
  bool publish = false;
  bool presence = true;  ///< whether they may ask for it, in the same way
  bool history = true;
  std::size_t max_message_bytes = limits::hub_message_bytes;
  /// Commands a second, on average, and how many may come at once. One more is answered
  /// "too_many_commands".
  std::uint32_t commands_a_second = limits::hub_commands_a_second;
  std::uint32_t command_burst = limits::hub_command_burst;
};
static_assert(std::is_trivially_destructible_v<HubSocketOptions>);

/// The channels of a hub over one WebSocket, for squall-realtime.js and other clients; the protocol
/// is in docs/realtime_web.md.
///
///     {"/realtime", web::handler<web::HubSocketHandler>(std::ref(hub))}
///
/// Who may do what is the hub's authorizer's to say. Derive from it to say who a client is:
///
///     struct Socket : web::HubSocketHandler {
///       using HubSocketHandler::HubSocketHandler;
///       Task<> prepare() override { ... }              // refuse strangers by HTTPError 401
///       std::string user() override { return name; }
///     };
class HubSocketHandler : public WebSocketHandler {
 public:
  /// The hub must outlive the application.
  explicit HubSocketHandler(realtime::Hub& hub, const HubSocketOptions& options = {});
  ~HubSocketHandler() override;

  // Hooks, called once, in open().

  /// Whose connection it is, for the authorizer and for presence; "".
  [[nodiscard]] virtual std::string user();
  /// What presence tells of it, such as JSON; "".
  [[nodiscard]] virtual std::string info();

  void open();
  void on_message(std::string_view message, bool binary);
  void on_close();

 private:
  realtime::Hub& hub_;
  HubSocketOptions options_;
  HubClient* client_ = nullptr;
};

/// Serves squall-realtime.js, the browser's side of it, to be cached until it changes:
///
///     {"/squall-realtime.js", web::handler<web::HubScriptHandler>}
class HubScriptHandler : public RequestHandler {
 public:
  void get();
};

}  // namespace squall::web
