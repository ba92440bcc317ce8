// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/realtime/broker.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall::realtime {

/// Who is in a channel.
struct Member {
  std::string client;  ///< one connection, unique
  std::string user;    ///< whose; may be empty
  std::string info;    ///< what the subscription said about it, such as JSON
};

struct PresencePage {
  std::vector<Member> members;
  bool truncated = false;  ///< there are more than were asked for
};

struct PresenceCount {
  std::size_t clients = 0;
  std::size_t users = 0;  ///< different ones, without those who have no name
};

/// What PresenceStore::add() takes; copied by the store.
struct MemberView {
  std::string_view client{};
  std::string_view user{};
  std::string_view info{};
};

/// Keeps the members of channels, each for a while unless it is added again: a process that died
/// leaves no ghosts. Calls and completions as those of a Broker.
class PresenceStore {
 public:
  PresenceStore() noexcept = default;
  PresenceStore(const PresenceStore&) = delete;
  PresenceStore& operator=(const PresenceStore&) = delete;
  virtual ~PresenceStore();

  /// Adds the member, or refreshes it, for `ttl`. Completes with whether it is new.
  virtual void add(std::string_view channel, const MemberView& member, Duration ttl,
                   Completion<bool> done) = 0;
  /// Completes with whether it was there.
  virtual void remove(std::string_view channel, std::string_view client, Completion<bool> done) = 0;
  /// At most `limit` members, in no order.
  virtual void list(std::string_view channel, std::size_t limit, Completion<PresencePage> done) = 0;
  virtual void count(std::string_view channel, Completion<PresenceCount> done) = 0;
};

}  // namespace squall::realtime
