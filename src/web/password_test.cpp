// SPDX-License-Identifier: Apache-2.0
#include "web/argon2.hpp"
#include "web/web_testing.hpp"

#include <squall/base/limits.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/web/http_error.hpp>
#include <squall/web/password.hpp>

#include <string>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

// Small, so that the tests are quick under sanitizers too.
constexpr PasswordOptions quick = {.memory_bytes = 64 * 1024, .passes = 1};

template <class T>
T run(Task<T> task) {
  return IOLoop::current().run_sync(std::move(task));
}

class PasswordTest : public WebTest {
 protected:
  void SetUp() override {
    try {
      require_argon2();
    } catch (const UsageError& error) {
      GTEST_SKIP() << error.what();
    }
  }
};

TEST_F(PasswordTest, AHashIsOfItsPasswordOnly) {
  const std::string hash = run(hash_password("correct horse", quick));
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$")) << hash;
  EXPECT_TRUE(run(verify_password("correct horse", hash)));
  EXPECT_FALSE(run(verify_password("correct hors", hash)));
  EXPECT_FALSE(run(verify_password("", hash)));
  EXPECT_FALSE(run(verify_password(std::string_view("correct horse\0", 14), hash)));
  EXPECT_NE(hash, run(hash_password("correct horse", quick)));  // another salt
  const std::string empty = run(hash_password("", quick));
  EXPECT_TRUE(run(verify_password("", empty)));
  EXPECT_FALSE(run(verify_password("x", empty)));
}

TEST_F(PasswordTest, HashesOfTheReferenceProgramAreVerified) {
  // Made with `argon2 SALT -id|-i|-d -t T -k M -p P -e`.
  for (const char* const hash : {
           "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
           "$argon2id$v=19$m=64,t=3,p=4$c29tZXNhbHQ$JE8O3e/Jske+BpoCNhq6UN4ulPsnNjN8",
           "$argon2i$v=16$m=256,t=2,p=1$ZGlmZnNhbHQ$VipBKqSK4q53jV243QvwvTcC28MCNiNj1/wLX6EZJm4",
       }) {
    EXPECT_TRUE(run(verify_password("password", hash))) << hash;
    EXPECT_FALSE(run(verify_password("Password", hash))) << hash;
    EXPECT_TRUE(needs_rehash(hash, quick)) << hash;
  }
}

TEST_F(PasswordTest, EachCharacterOfAHashCounts) {
  const std::string hash =
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  for (std::size_t i = 0; i < hash.size(); ++i) {
    std::string other = hash;
    other[i] = other[i] == '1' ? '3' : '1';
    EXPECT_FALSE(run(verify_password("password", other))) << other;
    EXPECT_FALSE(run(verify_password("password", hash.substr(0, i), quick))) << i;
  }
}

TEST_F(PasswordTest, WhatIsNoHashIsFalseAndLogged) {
  EXPECT_FALSE(run(verify_password("password", "password")));
  EXPECT_NE(log_text().find("none of Argon2"), std::string::npos);
  EXPECT_TRUE(needs_rehash("password"));
  EXPECT_TRUE(needs_rehash(""));
}

TEST_F(PasswordTest, AHashThatWantsTooMuchIsNotComputed) {
  const std::string rest = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  const auto read = [&](const std::string& costs) {
    return read_argon2("$argon2id$v=19$" + costs + rest).has_value();
  };
  EXPECT_TRUE(read("m=262144,t=64,p=16"));
  EXPECT_FALSE(read("m=262145,t=64,p=16"));
  EXPECT_FALSE(read("m=262144,t=65,p=16"));
  EXPECT_FALSE(read("m=262144,t=64,p=17"));
  EXPECT_TRUE(read("m=32,t=1,p=4"));
  EXPECT_FALSE(read("m=31,t=1,p=4"));
  EXPECT_FALSE(read("m=64,t=0,p=1"));
  EXPECT_FALSE(read("m=64,t=1,p=0"));
  EXPECT_FALSE(read("m=064,t=1,p=1"));
  EXPECT_FALSE(read("m=99999999999,t=1,p=1"));
  EXPECT_FALSE(read("m=,t=1,p=1"));
  EXPECT_FALSE(read("m=-8,t=1,p=1"));
  EXPECT_FALSE(read("t=1,m=64,p=1"));
  EXPECT_FALSE(read("m=64,t=1,p=1,x=1"));
}

TEST_F(PasswordTest, AHashThatWasReadIsWrittenTheSame) {
  for (const char* const text : {
           "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$JE8O3e/Jske+BpoCNhq6UN4ulPsnNjN8",
           "$argon2i$v=16$m=64,t=1,p=1$c29tZXNhbHQx$JE8O3e/Jske+BpoCNhq6UN4ulPsnNjN8Aw",
           "$argon2d$v=19$m=64,t=1,p=1$c29tZXNhbHQxMg$JE8O3e/Jske+BpoCNhq6UN4ulPsnNjN8AwA",
       }) {
    const auto read = read_argon2(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(write_argon2(*read), text);
  }
  EXPECT_FALSE(read_argon2("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ=$JE8O3e/Jske+BpoCNhq6UN4u"));
  EXPECT_FALSE(read_argon2("$argon2id$v=19$m=64,t=1,p=1$c2FsdA$JE8O3e/Jske+BpoCNhq6UN4u"));
  EXPECT_FALSE(read_argon2("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$"));
  EXPECT_FALSE(read_argon2("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ"));
  EXPECT_FALSE(read_argon2("$argon2id$v=18$m=64,t=1,p=1$c29tZXNhbHQ$JE8O3e/Jske+BpoCNhq6UN4u"));
}

TEST_F(PasswordTest, OtherOptionsNeedAnotherHash) {
  const std::string hash = run(hash_password("p", quick));
  EXPECT_FALSE(needs_rehash(hash, quick));
  EXPECT_TRUE(needs_rehash(hash));
  PasswordOptions more = quick;
  more.passes = 2;
  EXPECT_TRUE(needs_rehash(hash, more));
  more = quick;
  more.lanes = 2;
  EXPECT_TRUE(needs_rehash(hash, more));
}

TEST_F(PasswordTest, OptionsOutOfTheirRangeAreAMisuse) {
  EXPECT_THROW(static_cast<void>(hash_password("p", {.passes = 0})), UsageError);
  EXPECT_THROW(static_cast<void>(hash_password("p", {.lanes = 0})), UsageError);
  EXPECT_THROW(static_cast<void>(hash_password("p", {.memory_bytes = 1024})), UsageError);
  EXPECT_THROW(
      static_cast<void>(hash_password("p", {.memory_bytes = limits::password_memory_bytes + 1024})),
      UsageError);
  EXPECT_THROW(static_cast<void>(hash_password("p", {.memory_bytes = std::size_t{1} << 45})),
               UsageError);
}

TEST_F(PasswordTest, APasswordHasALimit) {
  const std::string longest(limits::password_bytes, 'x');
  EXPECT_TRUE(run(verify_password(longest, run(hash_password(longest, quick)))));
  EXPECT_FALSE(run(verify_password(longest + "x", run(hash_password(longest, quick)))));
  EXPECT_THROW(static_cast<void>(hash_password(longest + "x", quick)), HTTPError);
}

Task<> note_hash(std::vector<std::string>* order) {
  const std::string hash = co_await hash_password("p", quick);
  const bool right = co_await verify_password("p", hash);
  order->emplace_back(right ? "hashed" : "wrong");
}
Task<> note_turn(std::vector<std::string>* order) {
  order->emplace_back("turn");
  co_return;
}
Task<> both(std::vector<std::string>* order) {
  TaskGroup group;
  group.spawn(note_hash(order));
  group.spawn(note_turn(order));
  co_await group.join();
}

TEST_F(PasswordTest, TheLoopGoesOnMeanwhile) {
  std::vector<std::string> order;
  IOLoop::current().run_sync(both(&order));
  EXPECT_EQ(order, (std::vector<std::string>{"turn", "hashed"}));
}

Task<> count_hash(std::size_t* done, std::size_t* refused) {
  try {
    static_cast<void>(co_await hash_password("p", quick));
    ++*done;
  } catch (const HTTPError& error) {
    if (error.status() == 503) ++*refused;
  }
}
Task<> flood(std::size_t count, std::size_t* done, std::size_t* refused) {
  TaskGroup group;
  for (std::size_t i = 0; i < count; ++i) group.spawn(count_hash(done, refused));
  co_await group.join();
}

TEST_F(PasswordTest, MoreThanTheQueueHoldsIsRefused) {
  std::size_t done = 0;
  std::size_t refused = 0;
  const std::size_t count = 8 * limits::password_queue;
  IOLoop::current().run_sync(flood(count, &done, &refused));
  EXPECT_EQ(done + refused, count);
  EXPECT_GE(done, limits::password_queue);
  EXPECT_GT(refused, 0U);
  EXPECT_FALSE(run(verify_password("p", "")));  // there is room again
}

}  // namespace
}  // namespace squall::web
