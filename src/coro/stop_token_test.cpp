// SPDX-License-Identifier: Apache-2.0
#include <squall/coro/stop_token.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace squall {
namespace {

TEST(StopToken, TellsOfARequest) {
  StopSource source;
  const StopToken token = source.get_token();
  EXPECT_TRUE(token.stop_possible());
  EXPECT_FALSE(token.stop_requested());
  source.request_stop();
  EXPECT_TRUE(token.stop_requested());
}

TEST(StopToken, OutlivesItsSource) {
  StopToken token;
  EXPECT_FALSE(token.stop_possible());
  {
    StopSource source;
    token = source.get_token();
    source.request_stop();
  }
  EXPECT_TRUE(token.stop_requested());
}

TEST(StopCallback, IsCalledOnceAndNotAfterItsEnd) {
  StopSource source;
  int calls = 0;
  const auto count = [&calls] { ++calls; };
  { const StopCallback gone(source.get_token(), count); }
  const StopCallback callback(source.get_token(), count);
  source.request_stop();
  source.request_stop();
  EXPECT_EQ(calls, 1);
  const StopCallback late(source.get_token(), count);
  EXPECT_EQ(calls, 2) << "a callback for a stop that was requested before runs at once";
}

TEST(StopCallback, MayEndAnotherThatWaits) {
  StopSource source;
  int calls = 0;
  const auto count = [&calls] { ++calls; };
  using Counter = StopCallback<decltype(count)>;
  std::optional<Counter> second;
  const StopCallback first(source.get_token(), [&second] { second.reset(); });
  second.emplace(source.get_token(), count);
  source.request_stop();
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace squall
