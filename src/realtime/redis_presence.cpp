// SPDX-License-Identifier: Apache-2.0
#include "realtime/redis_broker.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace squall::realtime {
namespace {

/// Of "<bytes of user>:<user><info>"; false when it is something else.
bool read_member(std::string_view text, Member& member) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end == text.data() + text.size() || *end != ':') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  if (size > text.size()) return false;
  member.user = text.substr(0, size);
  member.info = text.substr(size);
  return true;
}

}  // namespace

RedisBroker::Presence::Presence(RedisBroker& broker)
    : broker_(broker),
      add_(redis_presence_add_source()),
      remove_(redis_presence_remove_source()),
      list_(redis_presence_list_source()) {}

std::vector<std::string> RedisBroker::Presence::sources() const {
  return {add_.source(), remove_.source(), list_.source()};
}

void RedisBroker::Presence::run(const RedisScript& script, std::string_view channel,
                                std::span<const std::string_view> arguments, Done done) {
  const std::string members = broker_.key("members:", channel);
  const std::string expiries = broker_.key("expiries:", channel);
  const std::string users = broker_.key("users:", channel);
  std::vector<std::string_view> words{members, expiries, users};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::size_t nowhere = 0;
  std::string bytes = script.command(3, words, words.size(), nowhere);
  broker_.call(std::move(bytes), 0, std::move(done));
}

void RedisBroker::Presence::add(std::string_view channel, const MemberView& member, Duration ttl,
                                Completion<bool> done) {
  const std::string time = std::to_string(ttl.milliseconds());
  std::string kept = std::to_string(member.user.size());
  kept += ':';
  kept += member.user;
  kept += member.info;
  const std::array<std::string_view, 4> arguments{time, member.client, member.user, kept};
  run(add_, channel, arguments, [then = std::move(done)](Result<RedisReply> reply) mutable {
    if (!reply) return then(reply.error());
    then(reply->value().integer() == 1);
  });
}

void RedisBroker::Presence::remove(std::string_view channel, std::string_view client,
                                   Completion<bool> done) {
  const std::array<std::string_view, 1> arguments{client};
  run(remove_, channel, arguments, [then = std::move(done)](Result<RedisReply> reply) mutable {
    if (!reply) return then(reply.error());
    then(reply->value().integer() == 1);
  });
}

void RedisBroker::Presence::list(std::string_view channel, std::size_t limit,
                                 Completion<PresencePage> done) {
  const std::string most = std::to_string(limit);
  const std::array<std::string_view, 1> arguments{most};
  run(list_, channel, arguments, [then = std::move(done)](Result<RedisReply> reply) mutable {
    if (!reply) return then(reply.error());
    const RedisValue found = reply->value()[2];
    PresencePage page;
    page.members.reserve(found.size() / 2);
    for (std::size_t i = 0; i + 1 < found.size(); i += 2) {
      Member member;
      member.client = found[i].text();
      if (read_member(found[i + 1].text(), member)) page.members.push_back(std::move(member));
    }
    page.truncated = static_cast<std::size_t>(reply->value()[0].integer()) > page.members.size();
    then(std::move(page));
  });
}

void RedisBroker::Presence::count(std::string_view channel, Completion<PresenceCount> done) {
  const std::array<std::string_view, 1> arguments{"0"};
  run(list_, channel, arguments, [then = std::move(done)](Result<RedisReply> reply) mutable {
    if (!reply) return then(reply.error());
    PresenceCount count;
    count.clients = static_cast<std::size_t>(reply->value()[0].integer());
    count.users = static_cast<std::size_t>(reply->value()[1].integer());
    then(count);
  });
}

}  // namespace squall::realtime
