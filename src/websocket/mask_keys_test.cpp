// SPDX-License-Identifier: Apache-2.0
#include "websocket/mask_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <vector>

namespace squall::websocket {
namespace {

TEST(MaskKeys, UseEachByteOfTheirSourceOnce) {
  static std::vector<std::uint8_t> given;
  given.clear();
  MaskKeys keys([](std::span<std::uint8_t> bytes) {
    for (auto& byte : bytes) {
      byte = static_cast<std::uint8_t>(given.size() * 7 + given.size() / 256);
      given.push_back(byte);
    }
  });
  EXPECT_TRUE(given.empty()) << "read before it was needed";
  std::vector<std::uint8_t> used;
  for (int i = 0; i < 1000; ++i) {
    const MaskKey key = keys.next();
    used.insert(used.end(), key.begin(), key.end());
  }
  ASSERT_LE(used.size(), given.size());
  EXPECT_TRUE(std::equal(used.begin(), used.end(), given.begin()));
}

TEST(MaskKeys, FailWithTheirSource) {
  MaskKeys keys([](std::span<std::uint8_t>) { throw std::runtime_error("none"); });
  EXPECT_THROW(keys.next(), std::runtime_error);
  EXPECT_THROW(keys.next(), std::runtime_error) << "a key that was never filled";
}

TEST(MaskKeys, OfTheThreadDiffer) {  // RFC 6455 §10.3
  std::set<MaskKey> seen;
  for (int i = 0; i < 2000; ++i) seen.insert(MaskKeys::of_thread().next());
  EXPECT_GT(seen.size(), 1990U);
}

}  // namespace
}  // namespace squall::websocket
