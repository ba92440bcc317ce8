// SPDX-License-Identifier: Apache-2.0
#include "realtime/broker_testing.hpp"

#include <squall/realtime/presence.hpp>
#include <squall/realtime/redis_broker.hpp>

#include <algorithm>

namespace squall::realtime {
namespace {

constexpr Duration minute = Duration::from_seconds(60);

class RedisMembers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::is_installed()) GTEST_SKIP() << "redis-server is not installed";
    server_.emplace();
    const std::string url = server_->url();
    broker_.emplace(redis_broker({.url = url}));
    other_.emplace(redis_broker({.url = url}));
  }
  PresenceStore& store() { return *broker_->broker().presence(); }
  PresenceStore& other() { return *other_->broker().presence(); }

  static bool add(PresenceStore& store, const MemberView& member, Duration ttl = minute) {
    Outcome<bool> outcome;
    store.add("room", member, ttl, outcome.completion());
    const auto result = outcome.get();
    EXPECT_TRUE(result) << result.error().message();
    return result && *result;
  }
  static bool remove(PresenceStore& store, std::string_view client) {
    Outcome<bool> outcome;
    store.remove("room", client, outcome.completion());
    const auto result = outcome.get();
    EXPECT_TRUE(result) << result.error().message();
    return result && *result;
  }
  static PresencePage list(PresenceStore& store, std::size_t limit = 100) {
    Outcome<PresencePage> outcome;
    store.list("room", limit, outcome.completion());
    auto result = outcome.get();
    EXPECT_TRUE(result) << result.error().message();
    if (!result) return {};
    std::sort(result->members.begin(), result->members.end(),
              [](const Member& a, const Member& b) { return a.client < b.client; });
    return *std::move(result);
  }
  static PresenceCount count(PresenceStore& store) {
    Outcome<PresenceCount> outcome;
    store.count("room", outcome.completion());
    const auto result = outcome.get();
    EXPECT_TRUE(result) << result.error().message();
    return result ? *result : PresenceCount();
  }

  std::optional<RedisServer> server_;
  std::optional<TestBroker> broker_;
  std::optional<TestBroker> other_;
};

TEST_F(RedisMembers, AreSeenByAllProcesses) {
  EXPECT_TRUE(add(store(), {.client = "c1", .user = "ann", .info = "{\"x\":1}"}));
  EXPECT_TRUE(add(other(), {.client = "c2", .user = "", .info = ""}));
  const PresencePage page = list(other());
  ASSERT_EQ(page.members.size(), 2u);
  EXPECT_FALSE(page.truncated);
  EXPECT_EQ(page.members[0].client, "c1");
  EXPECT_EQ(page.members[0].user, "ann");
  EXPECT_EQ(page.members[0].info, "{\"x\":1}");
  EXPECT_EQ(page.members[1].client, "c2");
  EXPECT_EQ(page.members[1].user, "");
}

TEST_F(RedisMembers, AreNewOnceAndThereOnce) {
  EXPECT_TRUE(add(store(), {.client = "c1", .user = "ann", .info = "a"}));
  EXPECT_FALSE(add(store(), {.client = "c1", .user = "ann", .info = "b"}));
  EXPECT_EQ(list(store()).members[0].info, "b");
  EXPECT_TRUE(remove(other(), "c1"));
  EXPECT_FALSE(remove(store(), "c1"));
  EXPECT_TRUE(list(store()).members.empty());
  EXPECT_TRUE(add(store(), {.client = "c1", .user = "ann", .info = "a"}));
}

TEST_F(RedisMembers, AreCountedByClientAndUser) {
  add(store(), {.client = "c1", .user = "ann", .info = ""});
  add(store(), {.client = "c2", .user = "ann", .info = ""});
  add(store(), {.client = "c3", .user = "3:bob", .info = "7:"});
  add(store(), {.client = "c4", .user = "", .info = ""});
  EXPECT_EQ(count(store()).clients, 4u);
  EXPECT_EQ(count(store()).users, 2u);
  add(store(), {.client = "c1", .user = "eve", .info = ""});
  EXPECT_EQ(count(store()).users, 3u);
  remove(store(), "c2");
  EXPECT_EQ(count(store()).clients, 3u);
  EXPECT_EQ(count(store()).users, 2u);
  remove(store(), "c3");
  EXPECT_EQ(count(store()).users, 1u);
}

TEST_F(RedisMembers, GoWhenNobodyRefreshesThem) {
  add(store(), {.client = "brief", .user = "ann", .info = ""}, Duration::from_milliseconds(200));
  add(store(), {.client = "stays", .user = "bob", .info = ""});
  ASSERT_TRUE(wait_for([&] { return count(store()).clients == 1; }));
  EXPECT_EQ(count(store()).users, 1u);
  EXPECT_EQ(list(store()).members[0].client, "stays");
  EXPECT_TRUE(add(store(), {.client = "brief", .user = "ann", .info = ""}));
}

TEST_F(RedisMembers, LeaveNothingBehind) {
  add(store(), {.client = "c1", .user = "ann", .info = ""}, Duration::from_milliseconds(200));
  EXPECT_TRUE(wait_for([&] { return server_->ask({"DBSIZE"}).find(":0") != std::string::npos; }));
}

TEST_F(RedisMembers, AreListedUpToALimit) {
  for (int i = 0; i < 30; ++i) add(store(), {.client = std::to_string(i), .user = "", .info = ""});
  const PresencePage page = list(store(), 10);
  EXPECT_EQ(page.members.size(), 10u);
  EXPECT_TRUE(page.truncated);
  EXPECT_FALSE(list(store(), 30).truncated);
}

}  // namespace
}  // namespace squall::realtime
