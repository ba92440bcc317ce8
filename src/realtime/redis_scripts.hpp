// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace squall::realtime {

/// A Lua program that the server runs as one step, with nothing in between.
class RedisScript {
 public:
  explicit RedisScript(std::string source);
  [[nodiscard]] const std::string& source() const noexcept { return source_; }

  /// The command that runs it (EVALSHA): the keys come first in `words`, then the arguments.
  /// `run_id_word`, if it is below their count, is where the server's run ID is to be put when the
  /// command is sent: `run_id_at` becomes its place in the text.
  [[nodiscard]] std::string command(std::size_t key_count, std::span<const std::string_view> words,
                                    std::size_t run_id_word, std::size_t& run_id_at) const;

 private:
  std::string source_;
  std::string digest_;  // SHA-1, hexadecimal: its name in the server
};

// All about a channel's stream begin with KEYS: meta, stream, and ARGV: run ID, new epoch, meta TTL
// in ms; then come more ARGV.

/// Topic, history size, history bytes, history TTL in ms, envelope. Gives epoch and offset.
[[nodiscard]] std::string redis_publish_source();
/// "<" or ">", epoch or "", offset, count: entries before it or after it. Gives epoch, top offset,
/// and the entries as ID and fields (x: when it expires, p: envelope).
[[nodiscard]] std::string redis_history_source();
/// Forgets the entries.
[[nodiscard]] std::string redis_remove_source();

// All about members have KEYS: members, expiries, users.

/// ARGV: TTL in ms, client, user, member. Gives 1 when it was not there.
[[nodiscard]] std::string redis_presence_add_source();
/// ARGV: client. Gives 1 when it was there.
[[nodiscard]] std::string redis_presence_remove_source();
/// ARGV: count. Gives the number of clients, of users, and so many clients, each with its member.
[[nodiscard]] std::string redis_presence_list_source();

}  // namespace squall::realtime
