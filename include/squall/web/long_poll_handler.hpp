// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>
#include <squall/realtime/position.hpp>
#include <squall/web/detail/hub_fwd.hpp>
#include <squall/web/handler.hpp>
#include <squall/web/request_handler.hpp>

#include <cstddef>
#include <string>
#include <type_traits>

namespace squall::web {

struct LongPollOptions {
  Duration timeout = Duration::from_seconds(25);      ///< unless the client says another one
  Duration max_timeout = Duration::from_seconds(60);  ///< whatever it says
  std::size_t max_messages = limits::recovered_publications;  ///< in one answer
};
static_assert(std::is_trivially_destructible_v<LongPollOptions>);

/// A channel of a hub by long polling, for clients that have nothing better.
///
///     {"/poll", web::handler<web::LongPollHandler>(std::ref(hub))}
///
/// `GET /poll?channel=news` answers at once with where the channel stands; `GET
/// /poll?channel=news&cursor=POSITION&timeout=25&limit=100` as soon as there is something after
/// that, or when the time (in seconds) is up:
///
///     {"position": "epoch:9", "recovered": true,
///      "messages": [{"channel": "news", "position": "epoch:9", "data": "text"}]}
///
/// The next request has that position as its cursor, and so misses nothing. With `"recovered":
/// false` something may have been missed before `position`. Data that is not UTF-8, or was
/// published as binary, is in "base64" instead of "data". Nothing is cached.
///
/// Errors are `{"error": {"code": "forbidden", "message": "..."}}` with 400, 403, 503. The wait
/// ends at once when the client leaves, and with an answer when the server shuts down.
class LongPollHandler : public RequestHandler {
 public:
  /// The hub must outlive the application.
  explicit LongPollHandler(realtime::Hub& hub, const LongPollOptions& options = {})
      : hub_(hub), options_(options) {}

  // Hooks; the hub's authorizer is asked with what they say.

  /// The argument `channel`.
  [[nodiscard]] virtual std::string channel();
  /// Who asks; "".
  [[nodiscard]] virtual std::string user();

  Task<> get();
  void on_shutdown() override;

 private:
  void answer(const realtime::Position& position, bool recovered, std::string_view messages);
  void refuse(int status, std::string_view code, std::string_view message);

  realtime::Hub& hub_;
  LongPollOptions options_;
  realtime::Position cursor_;
  bool waiting_ = false;
};

}  // namespace squall::web
