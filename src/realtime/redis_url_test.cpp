// SPDX-License-Identifier: Apache-2.0
#include "realtime/redis_url.hpp"

#include <squall/base/error.hpp>

#include <gtest/gtest.h>

namespace squall::realtime {
namespace {

TEST(RedisURL, HasADefaultForAllButTheHost) {
  const RedisTarget target = parse_redis_url("redis://cache");
  EXPECT_EQ(target.host, "cache");
  EXPECT_EQ(target.port, 6379);
  EXPECT_EQ(target.database, 0u);
  EXPECT_TRUE(target.user.empty());
  EXPECT_FALSE(target.tls);
}

TEST(RedisURL, MayHaveAllItsParts) {
  const RedisTarget target = parse_redis_url("rediss://ann:p%40ss%3Aword@[::1]:7000/12");
  EXPECT_EQ(target.host, "::1");
  EXPECT_EQ(target.port, 7000);
  EXPECT_EQ(target.database, 12u);
  EXPECT_EQ(target.user, "ann");
  EXPECT_EQ(target.password, "p@ss:word");
  EXPECT_TRUE(target.tls);
  EXPECT_EQ(target.name(), "[::1]:7000");
}

TEST(RedisURL, TakesAPasswordWithoutAUser) {
  const RedisTarget target = parse_redis_url("redis://:a@b@host/");
  EXPECT_EQ(target.user, "");
  EXPECT_EQ(target.password, "a@b");
  EXPECT_EQ(target.host, "host");
  EXPECT_EQ(target.database, 0u);
}

TEST(RedisURL, NamesUnixSockets) {
  const RedisTarget target = parse_redis_url("unix:///run/redis%20a.sock?db=3");
  EXPECT_EQ(target.unix_path, "/run/redis a.sock");
  EXPECT_EQ(target.database, 3u);
  EXPECT_EQ(parse_redis_url("redis+unix:///s").unix_path, "/s");
  const RedisTarget known = parse_redis_url("unix://u:p@/s");
  EXPECT_EQ(known.user, "u");
  EXPECT_EQ(known.password, "p");
  EXPECT_EQ(known.unix_path, "/s");
}

TEST(RedisURL, RefusesWhatItCannotMean) {
  for (const char* url :
       {"", "http://host", "redis://", "redis://:6379", "redis://host:0", "redis://host:70000",
        "redis://host:6379x", "redis://host/abc", "redis://host/-1", "redis://[::1",
        "redis://[::1]x", "redis://user@host", "redis://:%4@host", "unix://", "unix://relative",
        "unix:///s?db=x", "unix:///s?name=1", "redis://host:"}) {
    EXPECT_THROW(static_cast<void>(parse_redis_url(url)), UsageError) << url;
  }
}

TEST(RedisURL, ErrorsDoNotShowThePassword) {
  try {
    static_cast<void>(parse_redis_url("redis://me:secret@host:bad"));
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace squall::realtime
