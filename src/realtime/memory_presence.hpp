// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/text_map.hpp"

#include <squall/realtime/presence.hpp>

#include <cstdint>
#include <mutex>

namespace squall::realtime::detail {

/// The members of this process. Those whose loop has died without a word are forgotten when their
/// time is up and the channel is used.
class MemoryPresence final : public PresenceStore {
 public:
  using Clock = std::uint64_t (*)();  // monotonic milliseconds

  explicit MemoryPresence(Clock clock) noexcept : clock_(clock) {}

  void add(std::string_view channel, const MemberView& member, Duration ttl,
           Completion<bool> done) override;
  void remove(std::string_view channel, std::string_view client, Completion<bool> done) override;
  void list(std::string_view channel, std::size_t limit, Completion<PresencePage> done) override;
  void count(std::string_view channel, Completion<PresenceCount> done) override;

 private:
  struct Entry {
    std::string user;
    std::string info;
    std::uint64_t expires_ms;
  };
  using Members = TextMap<Entry>;

  [[nodiscard]] Members* living(std::string_view channel);

  const Clock clock_;
  std::mutex mutex_;
  TextMap<Members> channels_;
};

}  // namespace squall::realtime::detail
