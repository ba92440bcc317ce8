// SPDX-License-Identifier: Apache-2.0
#include "realtime/memory_presence.hpp"

#include <string>
#include <unordered_set>

namespace squall::realtime {

PresenceStore::~PresenceStore() = default;

namespace detail {

// With the lock held. Those whose time is up go here.
MemoryPresence::Members* MemoryPresence::living(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return nullptr;
  const std::uint64_t now = clock_();
  std::erase_if(found->second, [now](const auto& one) { return one.second.expires_ms <= now; });
  if (!found->second.empty()) return &found->second;
  channels_.erase(found);
  return nullptr;
}

void MemoryPresence::add(std::string_view channel, const MemberView& member, Duration ttl,
                         Completion<bool> done) {
  bool is_new = true;
  {
    const std::scoped_lock lock(mutex_);
    auto found = channels_.find(channel);
    if (found == channels_.end()) found = channels_.try_emplace(std::string(channel)).first;
    const std::uint64_t now = clock_();
    const auto [place, added] = found->second.try_emplace(std::string(member.client));
    Entry& entry = place->second;
    is_new = added || entry.expires_ms <= now;
    entry.user = member.user;
    entry.info = member.info;
    entry.expires_ms = now + static_cast<std::uint64_t>(ttl.milliseconds());
  }
  done(is_new);
}

void MemoryPresence::remove(std::string_view channel, std::string_view client,
                            Completion<bool> done) {
  bool was_there = false;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = channels_.find(channel);
    if (found != channels_.end()) {
      if (const auto member = found->second.find(client); member != found->second.end()) {
        found->second.erase(member);
        was_there = true;
      }
      if (found->second.empty()) channels_.erase(found);
    }
  }
  done(was_there);
}

void MemoryPresence::list(std::string_view channel, std::size_t limit,
                          Completion<PresencePage> done) {
  PresencePage page;
  {
    const std::scoped_lock lock(mutex_);
    if (const Members* const members = living(channel); members != nullptr) {
      for (const auto& [client, entry] : *members) {
        if (page.members.size() == limit) {
          page.truncated = true;
          break;
        }
        page.members.push_back(Member{client, entry.user, entry.info});
      }
    }
  }
  done(std::move(page));
}

void MemoryPresence::count(std::string_view channel, Completion<PresenceCount> done) {
  PresenceCount count;
  {
    const std::scoped_lock lock(mutex_);
    if (const Members* const members = living(channel); members != nullptr) {
      std::unordered_set<std::string_view> users;
      for (const auto& [client, entry] : *members) {
        if (!entry.user.empty()) users.insert(entry.user);
      }
      count = {members->size(), users.size()};
    }
  }
  done(count);
}

}  // namespace detail
}  // namespace squall::realtime
