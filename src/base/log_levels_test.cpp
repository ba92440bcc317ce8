// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/base/log.hpp>

#include <gtest/gtest.h>

#include <string>

namespace squall {
namespace {

using log::Level;

struct LogLevels : ::testing::Test {
  ~LogLevels() override {
    log::clear_channel_levels();
    log::set_level(Level::info);
  }
};

TEST_F(LogLevels, AChannelMayTellMoreOrLessThanTheOthers) {
  log::set_level("levels.quiet", Level::error);
  log::set_level("levels.chatty", Level::debug);
  EXPECT_FALSE(log::is_on(Level::warning, "levels.quiet"));
  EXPECT_TRUE(log::is_on(Level::error, "levels.quiet"));
  EXPECT_TRUE(log::is_on(Level::debug, "levels.chatty"));
  EXPECT_FALSE(log::is_on(Level::debug, "levels.other"));
  EXPECT_TRUE(log::is_on(Level::info, "levels.other"));
  EXPECT_TRUE(log::is_on(Level::debug));  // somewhere
  EXPECT_EQ(log::level(), Level::info);
  log::clear_channel_levels();
  EXPECT_FALSE(log::is_on(Level::debug));
  EXPECT_TRUE(log::is_on(Level::info, "levels.quiet"));
}

TEST_F(LogLevels, HoldForTheChannelsBelow) {
  log::set_level("shop", Level::error);
  EXPECT_FALSE(log::is_on(Level::info, "shop.orders.new"));
  EXPECT_TRUE(log::is_on(Level::info, "shopping"));
  log::set_level("shop.orders", Level::debug);
  EXPECT_TRUE(log::is_on(Level::debug, "shop.orders.new"));
  EXPECT_FALSE(log::is_on(Level::info, "shop.carts"));
}

TEST_F(LogLevels, ReachTheHandlesThatAreThereAlready) {
  log::Channel& orders = log::channel("handles.orders");
  EXPECT_EQ(&orders, &log::channel("handles.orders"));
  EXPECT_TRUE(orders.is_on(Level::info));
  log::set_level("handles", Level::error);
  EXPECT_FALSE(orders.is_on(Level::warning));
  log::set_level(Level::debug);
  EXPECT_FALSE(orders.is_on(Level::warning));
  log::clear_channel_levels();
  EXPECT_TRUE(orders.is_on(Level::debug));
  log::set_level(Level::none);
  EXPECT_FALSE(orders.is_on(Level::error));
  EXPECT_FALSE(orders.is_on(Level::none));
}

TEST_F(LogLevels, AChannelOfItsOwnMayBeOnWhenAllElseIsOff) {
  log::set_level(Level::none);
  log::set_level("only", Level::warning);
  EXPECT_TRUE(log::is_on(Level::error, "only.this"));
  EXPECT_FALSE(log::is_on(Level::error, "else"));
}

TEST_F(LogLevels, NamesOfChannelsAreNotForData) {  // limits::log_channels; in a process of its own
  EXPECT_EXIT(
      {
        try {
          for (std::size_t i = 0; i <= limits::log_channels; ++i) {
            (void)log::channel("many." + std::to_string(i));
          }
        } catch (const UsageError& error) {
          std::fprintf(stderr, "%s", error.what());
          std::exit(3);
        }
        std::exit(0);
      },
      ::testing::ExitedWithCode(3), "belongs in a field");
}

}  // namespace
}  // namespace squall
