// SPDX-License-Identifier: Apache-2.0
#include "realtime/redis_scripts.hpp"

#include "base/hex.hpp"
#include "realtime/redis_protocol.hpp"

#include <openssl/sha.h>

#include <utility>

namespace squall::realtime {
namespace {

// The epoch of a channel lives with its offset, in the meta hash. A new one is made when there is
// none (never was, expired, evicted, flushed) and when it was made by another run of the server: a
// restart or a failover may have brought back an older offset, which would be given out again.
// With the epoch goes the stream, whose entries have the offsets of the old one. An entry's ID is
// its offset.
//
// The first command that writes is one that the server refuses when its memory is full: behind
// another it would be let through, for a script may not end in the middle.
constexpr std::string_view stream_prelude =
    R"(local meta = redis.call('HMGET', KEYS[1], 'epoch', 'run', 'offset')
local epoch = meta[1]
if not epoch or meta[2] ~= ARGV[1] then
  epoch = ARGV[2]
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'run', ARGV[1], 'offset', 0, 'bytes', 0)
  redis.call('DEL', KEYS[2])
  meta[3] = '0'
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function trim(size, limit)
  local count = redis.call('XLEN', KEYS[2])
  local bytes = tonumber(redis.call('HGET', KEYS[1], 'bytes') or 0)
  local before = bytes
  while count > 0 do
    local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
    local ends = tonumber(first[2][2])
    if count <= size and bytes <= limit and (ends == 0 or ends > now) then break end
    redis.call('XDEL', KEYS[2], first[1])
    bytes = bytes - #first[2][4] - 100
    count = count - 1
  end
  if bytes ~= before then redis.call('HSET', KEYS[1], 'bytes', bytes) end
end
)";

// XADD refuses an ID that is not above the last; a stream that does not fit its meta is worth
// nothing, so it begins anew.
constexpr std::string_view publish_body = R"(
local offset = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'offset', 1))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if ARGV[5] ~= '0' then
  local ttl = tonumber(ARGV[7])
  local ends = ttl > 0 and string.format('%.0f', now + ttl) or '0'
  if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('HSET', KEYS[1], 'bytes', 0) end
  local added = redis.pcall('XADD', KEYS[2], offset .. '-0', 'x', ends, 'p', ARGV[8])
  if type(added) == 'table' and added['err'] then
    redis.call('DEL', KEYS[2])
    redis.call('HSET', KEYS[1], 'bytes', 0)
    redis.call('XADD', KEYS[2], offset .. '-0', 'x', ends, 'p', ARGV[8])
  end
  redis.call('HINCRBY', KEYS[1], 'bytes', #ARGV[8] + 100)
  trim(tonumber(ARGV[5]), tonumber(ARGV[6]))
  if ttl > 0 then redis.call('PEXPIRE', KEYS[2], ARGV[7]) else redis.call('PERSIST', KEYS[2]) end
end
redis.call('PUBLISH', ARGV[4], epoch .. ':' .. offset .. ' ' .. ARGV[8])
return {epoch, offset}
)";

constexpr std::string_view history_body = R"(
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local entries = {}
if ARGV[7] ~= '0' and (ARGV[5] == '' or ARGV[5] == epoch) then
  trim(math.huge, math.huge)
  local from = ARGV[5] == '' and '' or '(' .. ARGV[6] .. '-0'
  if ARGV[4] == '>' then
    entries = redis.call('XRANGE', KEYS[2], from == '' and '-' or from, '+', 'COUNT', ARGV[7])
  elseif from ~= '(0-0' then
    entries = redis.call('XREVRANGE', KEYS[2], from == '' and '+' or from, '-', 'COUNT', ARGV[7])
  end
end
return {epoch, meta[3], entries}
)";

constexpr std::string_view remove_body = R"(
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('DEL', KEYS[2])
)";

// Members whose time is over are dropped whenever the set is looked at. A member is kept as
// "<bytes of user>:<user><info>".
constexpr std::string_view presence_prelude = R"(local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function user_of(member)
  local size = string.match(member, '^%d+')
  return string.sub(member, #size + 2, #size + 1 + tonumber(size))
end
local function forget(client)
  local member = redis.call('HGET', KEYS[1], client)
  redis.call('ZREM', KEYS[2], client)
  if not member then return 0 end
  redis.call('HDEL', KEYS[1], client)
  local user = user_of(member)
  if user ~= '' and redis.call('HINCRBY', KEYS[3], user, -1) <= 0 then
    redis.call('HDEL', KEYS[3], user)
  end
  return 1
end
for _, client in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do forget(client) end
)";

constexpr std::string_view presence_add_body = R"(
local was = forget(ARGV[2])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[4])
redis.call('ZADD', KEYS[2], now + ARGV[1], ARGV[2])
if ARGV[3] ~= '' then redis.call('HINCRBY', KEYS[3], ARGV[3], 1) end
local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
for i = 1, 3 do redis.call('PEXPIREAT', KEYS[i], last[2]) end
return 1 - was
)";

constexpr std::string_view presence_remove_body = R"(
return forget(ARGV[1])
)";

constexpr std::string_view presence_list_body = R"(
local found = {}
local clients = {}
if ARGV[1] ~= '0' then clients = redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[1]) - 1) end
for _, client in ipairs(clients) do
  local member = redis.call('HGET', KEYS[1], client)
  if member then
    found[#found + 1] = client
    found[#found + 1] = member
  end
end
return {redis.call('HLEN', KEYS[1]), redis.call('HLEN', KEYS[3]), found}
)";

std::string join(std::string_view first, std::string_view second) {
  return std::string(first) + std::string(second);
}

}  // namespace

std::string redis_publish_source() { return join(stream_prelude, publish_body); }
std::string redis_history_source() { return join(stream_prelude, history_body); }
std::string redis_remove_source() { return join(stream_prelude, remove_body); }
std::string redis_presence_add_source() { return join(presence_prelude, presence_add_body); }
std::string redis_presence_remove_source() { return join(presence_prelude, presence_remove_body); }
std::string redis_presence_list_source() { return join(presence_prelude, presence_list_body); }

RedisScript::RedisScript(std::string source) : source_(std::move(source)) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(source_.data()), source_.size(), digest);
  append_hex(digest_, {reinterpret_cast<const char*>(digest), sizeof digest});
}

std::string RedisScript::command(std::size_t key_count, std::span<const std::string_view> words,
                                 std::size_t run_id_word, std::size_t& run_id_at) const {
  const std::string keys = std::to_string(key_count);
  std::vector<std::string_view> all{"EVALSHA", digest_, keys};
  all.insert(all.end(), words.begin(), words.end());
  std::string bytes;
  std::size_t size = 32;
  for (const std::string_view word : all) size += word.size() + 16;
  bytes.reserve(size);
  append_redis_command(bytes, all);
  run_id_at = 0;
  if (run_id_word < words.size()) {
    // Counted from the end, whose words are written as "$<size>\r\n<word>\r\n".
    std::size_t behind = words[run_id_word].size() + 2;
    for (std::size_t i = run_id_word + 1; i < words.size(); ++i) {
      behind += 1 + std::to_string(words[i].size()).size() + 2 + words[i].size() + 2;
    }
    run_id_at = bytes.size() - behind;
  }
  return bytes;
}

}  // namespace squall::realtime
