// SPDX-License-Identifier: Apache-2.0
#include "base/base64.hpp"
#include "base/hex.hpp"
#include "base/logging.hpp"
#include "base/secrets.hpp"
#include "web/cookie_attributes.hpp"
#include "web/exchange.hpp"
#include "web/pieces.hpp"
#include "web/session_state.hpp"

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/web/session.hpp>
#include <squall/web/signed_value.hpp>
#include <squall/web/store.hpp>

#include <algorithm>
#include <memory>
#include <time.h>
#include <utility>

namespace squall::web {
namespace {

constexpr std::size_t id_bytes = 24;
constexpr std::size_t id_size = id_bytes / 3 * 4;  // in base64
constexpr double day_seconds = 24 * 60 * 60;

std::int64_t now() noexcept { return ::time(nullptr); }

const SessionOptions& options_of(Exchange& exchange) noexcept {
  return exchange.worker().application().settings.session;
}
Store* store_of(Exchange& exchange) noexcept {
  return exchange.worker().application().settings.session_store;
}

// Who can read the store cannot be a client by what is there.
std::string store_key(std::string_view id) {
  std::string key = "session:";
  append_hex(key, sha256(id));
  return key;
}

}  // namespace

std::string SessionRecord::write() const {
  std::string text;
  append_piece(text, std::to_string(created));
  append_piece(text, std::to_string(saved));
  for (const auto& [name, value] : texts) {
    append_piece(text, name);
    append_piece(text, value);
  }
  return text;
}

bool SessionRecord::read(std::string_view text) {
  texts.clear();
  if (!take_number_piece(text, created) || !take_number_piece(text, saved)) return false;
  while (!text.empty()) {
    std::string_view name;
    std::string_view value;
    if (!take_piece(text, name) || !take_piece(text, value)) return false;
    texts.emplace_back(name, value);
  }
  return true;
}

std::string* SessionState::find(std::string_view name) noexcept {
  const auto found = std::find_if(record_.texts.begin(), record_.texts.end(),
                                  [&](const auto& text) { return text.first == name; });
  return found != record_.texts.end() ? &found->second : nullptr;
}

void SessionState::set(std::string_view name, std::string_view value) {
  std::string* const known = find(name);
  if (known != nullptr && *known == value) return;
  if (known != nullptr) {
    *known = value;
  } else {
    record_.texts.emplace_back(name, value);
  }
  is_changed_ = true;
}

void SessionState::erase(std::string_view name) {
  is_changed_ |=
      std::erase_if(record_.texts, [&](const auto& text) { return text.first == name; }) != 0;
}

void SessionState::clear() {
  record_.texts.clear();
  record_.created = now();
  is_changed_ = wants_new_id_ = true;  // what comes now is another session
}

void SessionState::regenerate() noexcept {
  wants_new_id_ = true;
  is_changed_ = true;
}

bool SessionState::is_current() const {
  const SessionOptions& options = options_of(exchange_);
  const auto is_over = [](std::int64_t since, Duration limit) {
    return now() - since >= limit.milliseconds() / 1000;
  };
  return !is_over(record_.saved, options.max_age) &&
         (options.max_lifetime <= Duration() || !is_over(record_.created, options.max_lifetime));
}

Task<> SessionState::load() {
  const SessionOptions& options = options_of(exchange_);
  record_.created = record_.saved = now();
  if (!exchange_.head_is_written()) exchange_.vary_on("Cookie");
  std::string cookie = exchange_.handler().get_cookie(options.cookie_name);
  client_has_cookie_ = !cookie.empty();
  if (store_of(exchange_) != nullptr) return load_from_store(this, std::move(cookie));
  const auto text = decode_signed_value(
      exchange_.worker().application().signing_secret(), options.cookie_name, cookie,
      {.max_age_days = options.max_age.seconds() / day_seconds, .min_version = 2});
  if (text && record_.read(*text) && is_current()) {
    is_new_ = false;
    if (now() - record_.saved > options.max_age.milliseconds() / 10'000 &&
        !exchange_.head_is_written()) {
      return write_down(this);
    }
    return {};
  }
  record_ = {now(), now(), {}};
  return {};
}

Task<> SessionState::load_from_store(SessionState* self, std::string id) {
  if (id.size() != id_size) co_return;
  Task<OptionalString> getting = store_of(self->exchange_)->get(store_key(id));
  const OptionalString text = co_await getting;
  if (!text) co_return;
  SessionRecord& record = self->record_;
  if (!record.read(*text)) {
    log::write(log::Level::error, "app", "what the session store has is no session");
    record = {now(), now(), {}};
    co_return;
  }
  self->id_ = std::move(id);
  if (!self->is_current()) {
    record = {now(), now(), {}};
    Task<> removing = store_of(self->exchange_)->erase(store_key(self->id_));
    self->id_.clear();
    co_await removing;
    co_return;
  }
  self->is_new_ = false;
  if (now() - record.saved > options_of(self->exchange_).max_age.milliseconds() / 10'000 &&
      !self->exchange_.head_is_written()) {
    Task<> writing = write_down(self);
    co_await writing;
  }
}

Task<> SessionState::save() {
  if (!is_changed_) return {};
  if (record_.texts.empty()) {
    // An id that nobody has sent is not there either.
    if (client_has_cookie_) make_room_for_cookie();
    return remove(this);
  }
  const bool sets_cookie = store_of(exchange_) == nullptr || id_.empty() || wants_new_id_;
  if (sets_cookie) make_room_for_cookie();
  return write_down(this);
}

void SessionState::make_room_for_cookie() const {
  if (exchange_.head_is_written() || exchange_.is_finished()) {
    throw UsageError("a session that sets its cookie is saved before flush() and finish()");
  }
}

void SessionState::set_cookie(std::string_view value) {
  if (exchange_.head_is_written() || exchange_.is_finished()) return;  // the client has one
  const SessionOptions& options = options_of(exchange_);
  CookieOptions attributes = attributes_of(options);
  attributes.secure = options.secure || exchange_.client_is_secure();
  if (value.empty()) {
    exchange_.handler().clear_cookie(options.cookie_name, attributes);
  } else {
    if (!options.until_browser_closes) {
      attributes.max_age = static_cast<int>(
          std::min<std::int64_t>(options.max_age.milliseconds() / 1000, 400 * 24 * 60 * 60));
    }
    exchange_.handler().set_cookie(options.cookie_name, value, attributes);
  }
  // A cache that several clients share would hand one's session to all.
  if (exchange_.header("Cache-Control").empty()) {
    exchange_.set_header("Cache-Control", "private");
  }
}

Task<> SessionState::write_down(SessionState* self) {
  Exchange& exchange = self->exchange_;
  Store* const store = store_of(exchange);
  self->record_.saved = now();
  std::string text = self->record_.write();
  if (text.size() > limits::session_bytes) {
    throw UsageError("a session of " + std::to_string(text.size()) +
                     " bytes: it may have limits::session_bytes");
  }
  if (store == nullptr) {
    const std::string_view name = options_of(exchange).cookie_name;
    const std::string value = exchange.handler().create_signed_value(name, text);
    if (name.size() + value.size() > limits::session_cookie_bytes) {
      throw UsageError("a session of " + std::to_string(text.size()) +
                       " bytes is too much for a cookie: give Settings::session_store");
    }
    self->set_cookie(value);
    self->is_changed_ = self->wants_new_id_ = false;
    co_return;
  }
  const std::string old_id = self->id_;
  std::string id = old_id;
  if (id.empty() || self->wants_new_id_) {
    id = encode_base64(random_bytes(id_bytes), Base64::url_unpadded);
  }
  // What is set meanwhile is another change.
  self->is_changed_ = self->wants_new_id_ = false;
  Task<> setting = store->set(store_key(id), std::move(text), options_of(exchange).max_age);
  co_await setting;
  self->id_ = id;
  if (!old_id.empty() && old_id != id) {
    Task<> removing = store->erase(store_key(old_id));
    co_await removing;
  }
  self->set_cookie(id);
}

Task<> SessionState::remove(SessionState* self) {
  self->is_changed_ = self->wants_new_id_ = false;
  if (!self->id_.empty()) {
    Task<> removing = store_of(self->exchange_)->erase(store_key(self->id_));
    self->id_.clear();
    co_await removing;
  }
  if (self->client_has_cookie_) self->set_cookie({});
}

OptionalString Session::get(std::string_view name) const {
  const std::string* const text = state_->find(name);
  return text != nullptr ? OptionalString(*text) : OptionalString();
}

OptionalString Session::take(std::string_view name) {
  OptionalString text = get(name);
  erase(name);
  return text;
}

void Session::set(std::string_view name, std::string_view value) { state_->set(name, value); }
void Session::erase(std::string_view name) { state_->erase(name); }
bool Session::contains(std::string_view name) const { return state_->find(name) != nullptr; }
bool Session::is_empty() const noexcept { return state_->record().texts.empty(); }
bool Session::is_new() const noexcept { return state_->is_new(); }
std::int64_t Session::created() const noexcept { return state_->record().created; }
void Session::clear() { state_->clear(); }
void Session::regenerate() { state_->regenerate(); }
Task<> Session::save() { return state_->save(); }

namespace {

Task<Session> load_session(Visitor* visitor, Exchange* exchange) {
  auto loaded = std::make_unique<SessionState>(*exchange);
  Task<> loading = loaded->load();
  co_await loading;
  // Another task of the handler may have asked for it meanwhile.
  if (!visitor->session) visitor->session = std::move(loaded);
  co_return Session(*visitor->session);
}

Task<Session> loaded_session(SessionState* state) { co_return Session(*state); }

}  // namespace

Task<Session> RequestHandler::session() {
  Visitor& visitor = exchange().visitor();
  if (visitor.session) return loaded_session(visitor.session.get());
  return load_session(&visitor, &exchange());
}

}  // namespace squall::web
