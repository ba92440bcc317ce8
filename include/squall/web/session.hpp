// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/optional_string.hpp>
#include <squall/coro/task.hpp>

#include <cstdint>
#include <string_view>

namespace squall::web {

class SessionState;

/// What a site knows of a client from one request to the next: texts by name. RequestHandler
/// gives the session of its request:
///
///     Task<> post() {
///       web::Session session = co_await this->session();
///       session.regenerate();  // at each login: an id that was known before is worth nothing now
///       session.set("user", "ann");
///       co_await session.save();
///     }
///
/// With Settings::session_store, the cookie has a random id of 192 bits and the store the texts,
/// under a hash of the id. Without, the texts are in a signed cookie: the client can read them, and
/// use an old one again until its time is over.
///
/// A light value, valid as long as the request. Of two requests of one session that change it at
/// the same time, the last save() counts. Changes that are not saved are lost, and the log says so.
class Session {
 public:
  [[nodiscard]] OptionalString get(std::string_view name) const;
  /// get() and erase() in one: for messages to be shown once.
  [[nodiscard]] OptionalString take(std::string_view name);
  void set(std::string_view name, std::string_view value);
  void erase(std::string_view name);
  [[nodiscard]] bool contains(std::string_view name) const;
  [[nodiscard]] bool is_empty() const noexcept;
  /// The client had no session, or one that is over.
  [[nodiscard]] bool is_new() const noexcept;
  /// When it was new, in seconds since 1970.
  [[nodiscard]] std::int64_t created() const noexcept;

  /// Forgets everything; save() then removes the session and its cookie. For logging out.
  void clear();
  /// Makes save() give the session another id and remove the old one. Call it when a user logs in
  /// or gains rights, so that an id which somebody planted before is worth nothing (session
  /// fixation).
  void regenerate();

  /// Keeps what has changed and sets the cookie; before the head leaves. An empty session is
  /// removed. UsageError when the texts are longer than limits::session_bytes, or in a cookie than
  /// limits::session_cookie_bytes, and when a cookie is to be set after the first flush().
  [[nodiscard]] Task<> save();

  /// For the library.
  explicit Session(SessionState& state) noexcept : state_(&state) {}

 private:
  SessionState* state_;
};

}  // namespace squall::web
