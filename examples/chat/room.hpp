// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/json.hpp>
#include <squall/web.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>

/// Who is here and what was said. Everything happens on one loop, so nothing needs a lock.
class Room {
 public:
  /// Gives `socket` a name; false when somebody else has it. The same token may have it twice: two
  /// tabs of one browser, or one whose lost connection has not been noticed yet.
  bool join(squall::web::WebSocketHandler& socket, const std::string& name,
            const std::string& token) {
    for (const auto& [other, member] : members_) {
      if (other != &socket && member.name == name && member.token != token) return false;
    }
    members_[&socket] = {name, token};
    return true;
  }

  void leave(squall::web::WebSocketHandler& socket) {
    if (members_.erase(&socket) != 0) tell_who_is_here();
  }

  /// What somebody needs who has seen the message `last` of `epoch`: the messages that came since,
  /// or, when they are not all here any more, those that are, to replace what is shown.
  squall::json::object welcome(std::string_view epoch, std::int64_t last) const {
    // Ids have no gaps, so the last one tells how many messages are missing.
    const auto kept = static_cast<std::int64_t>(history_.size());
    const bool replace = epoch != epoch_ || last > last_id_ || last < last_id_ - kept;
    const auto missed = replace ? kept : last_id_ - last;
    return {{"type", "welcome"},
            {"epoch", epoch_},
            {"replace", replace},
            {"messages", squall::json::array(history_.end() - missed, history_.end())}};
  }

  void say(const std::string& name, const std::string& text, const std::string& key) {
    for (const auto& message : history_) {
      if (message.at("key").get_string() == key) return;  // repeated after a lost connection
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    history_.push_back(
        {{"type", "message"},
         {"id", ++last_id_},
         {"time", std::chrono::duration_cast<std::chrono::milliseconds>(now).count()},
         {"name", name},
         {"text", text},
         {"key", key}});
    if (history_.size() > max_history) history_.pop_front();
    tell_all(history_.back());
  }

  void tell_who_is_here() const {
    std::set<std::string_view> names;
    for (const auto& [socket, member] : members_) names.insert(member.name);
    tell_all({{"type", "people"}, {"names", squall::json::array(names.begin(), names.end())}});
  }

  void tell_all(const squall::json::object& message) const {
    const std::string text = squall::json::serialize(message);
    for (const auto& [socket, member] : members_) socket->write_message(text);
  }

 private:
  static constexpr std::size_t max_history = 100;  // messages

  struct Member {
    std::string name;
    std::string token;
  };

  std::map<squall::web::WebSocketHandler*, Member> members_;
  std::deque<squall::json::object> history_;
  std::int64_t last_id_ = 0;
  std::string epoch_ = std::to_string(std::random_device{}());  // ids count anew with each start
};
