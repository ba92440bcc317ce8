// SPDX-License-Identifier: Apache-2.0
#include <squall/base/function.hpp>

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

namespace squall {
namespace {

TEST(MoveOnlyFunction, KeepsWhatOnlyMoves) {
  MoveOnlyFunction<int(int)> function = [value = std::make_unique<int>(40)](int more) {
    return *value + more;
  };
  MoveOnlyFunction<int(int)> moved = std::move(function);
  EXPECT_FALSE(function);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved(2), 42);
}

TEST(MoveOnlyFunction, KeepsLargeCallablesToo) {
  std::array<char, 200> large{};
  large[199] = 'x';
  MoveOnlyFunction<char()> function = [large] { return large[199]; };
  MoveOnlyFunction<char()> other;
  other = std::move(function);
  EXPECT_EQ(other(), 'x');
}

TEST(MoveOnlyFunction, DestroysItsCallableOnce) {
  const auto shared = std::make_shared<int>(1);
  {
    MoveOnlyFunction<void()> function = [shared] {};
    MoveOnlyFunction<void()> moved = std::move(function);
    EXPECT_EQ(shared.use_count(), 2);
    moved = nullptr;
    EXPECT_EQ(shared.use_count(), 1);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

}  // namespace
}  // namespace squall
