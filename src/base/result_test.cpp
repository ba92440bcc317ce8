// SPDX-License-Identifier: Apache-2.0
#include <squall/base/result.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace squall {
namespace {

Result<std::string> text(bool good) {
  if (good) return std::string("here");
  return std::make_error_code(std::errc::timed_out);
}

TEST(Result, HoldsAValueOrTheReason) {
  const Result<std::string> good = text(true);
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, "here");
  EXPECT_FALSE(good.error());
  const Result<std::string> bad = text(false);
  EXPECT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error(), std::errc::timed_out);
}

TEST(Result, ValueThrowsTheReason) {
  EXPECT_EQ(text(true).value(), "here");
  try {
    static_cast<void>(text(false).value());
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::timed_out);
  }
}

TEST(Result, MovesAndAssignsWhatOnlyMoves) {
  Result<std::unique_ptr<int>> first(std::make_unique<int>(1));
  Result<std::unique_ptr<int>> second = std::move(first);
  EXPECT_EQ(**second, 1);
  second = Result<std::unique_ptr<int>>(std::make_error_code(std::errc::io_error));
  EXPECT_FALSE(second);
  second = Result<std::unique_ptr<int>>(std::make_unique<int>(2));
  EXPECT_EQ(**second, 2);
}

TEST(Result, OfNothingTellsSuccess) {
  EXPECT_TRUE(Result<void>());
  EXPECT_FALSE(Result<void>(std::make_error_code(std::errc::io_error)));
}

}  // namespace
}  // namespace squall
