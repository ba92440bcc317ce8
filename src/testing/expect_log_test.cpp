// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/testing/expect_log.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace squall::testing {
namespace {

class ExpectLogTest : public ::testing::Test {
 protected:
  ExpectLogTest() {
    log::set_sink(
        [](void* self, log::Level, std::string_view, std::string_view text) {
          static_cast<ExpectLogTest*>(self)->others.emplace_back(text);
        },
        this);
  }
  ~ExpectLogTest() override { log::set_sink(nullptr, nullptr); }
  std::vector<std::string> others;
};

TEST_F(ExpectLogTest, CountsWhatMatchesAndLetsTheRestThrough) {
  {
    const ExpectLog expected("shop", "order \\d+ .*total=12");
    EXPECT_FALSE(expected.logged());
    log::write(log::Level::info, "shop", "order 7 is paid", {{"total", 12}});
    log::write(log::Level::info, "shop", "order x is paid");
    log::write(log::Level::info, "other", "order 7 is paid", {{"total", 12}});
    EXPECT_EQ(expected.count(), 1U);
  }
  log::info("after it");
  EXPECT_EQ(others,
            (std::vector<std::string>{"order x is paid", "order 7 is paid total=12", "after it"}));
}

TEST_F(ExpectLogTest, NestsAndKnowsLevels) {
  const ExpectLog any("", "late", log::Level::warning);
  {
    const ExpectLog inner("app", "later");
    log::warning("later");
    log::warning("late");
    log::info("late");
    EXPECT_EQ(inner.count(), 1U);
  }
  log::error("too late");
  EXPECT_EQ(any.count(), 2U);
  EXPECT_EQ(others, std::vector<std::string>{"late"});
}

TEST_F(ExpectLogTest, RefusesWhatIsNoExpression) {
  EXPECT_THROW(ExpectLog("app", "(unclosed"), UsageError);
  log::info("is written");
  EXPECT_EQ(others.size(), 1U);
}

}  // namespace
}  // namespace squall::testing
