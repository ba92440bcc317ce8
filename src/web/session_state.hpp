// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/optional_string.hpp>
#include <squall/coro/task.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {

class Exchange;

/// The texts of a session, and the times that belong to them.
struct SessionRecord {
  std::int64_t created = 0;  // seconds since 1970
  std::int64_t saved = 0;
  std::vector<std::pair<std::string, std::string>> texts;

  [[nodiscard]] std::string write() const;
  /// False for what write() did not make.
  [[nodiscard]] bool read(std::string_view text);
};

/// A session while its request is under way.
class SessionState {
 public:
  explicit SessionState(Exchange& exchange) noexcept : exchange_(exchange) {}
  SessionState(const SessionState&) = delete;
  SessionState& operator=(const SessionState&) = delete;

  /// Reads what the client's cookie leads to, and makes it last longer when a tenth of its time is
  /// over.
  [[nodiscard]] Task<> load();
  [[nodiscard]] Task<> save();

  [[nodiscard]] std::string* find(std::string_view name) noexcept;
  void set(std::string_view name, std::string_view value);
  void erase(std::string_view name);
  void clear();
  void regenerate() noexcept;

  [[nodiscard]] const SessionRecord& record() const noexcept { return record_; }
  [[nodiscard]] bool is_new() const noexcept { return is_new_; }
  [[nodiscard]] bool is_changed() const noexcept { return is_changed_; }

 private:
  [[nodiscard]] bool is_current() const;
  void make_room_for_cookie() const;
  void set_cookie(std::string_view value);
  static Task<> load_from_store(SessionState* self, std::string id);
  static Task<> write_down(SessionState* self);
  static Task<> remove(SessionState* self);

  Exchange& exchange_;
  SessionRecord record_;
  std::string id_;  // of what the store has, or ""
  bool client_has_cookie_ = false;
  bool is_new_ = true;
  bool is_changed_ = false;
  bool wants_new_id_ = false;
};

}  // namespace squall::web
