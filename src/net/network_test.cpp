// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/net/network.hpp>

#include <gtest/gtest.h>

#include <string>

namespace squall::net {
namespace {

SocketAddress address(std::string_view ip) { return SocketAddress::parse(ip, 4711); }

TEST(Network, HoldsTheAddressesOfItsPrefix) {
  const Network small("192.0.2.128/25");
  EXPECT_TRUE(small.contains(address("192.0.2.128")));
  EXPECT_TRUE(small.contains(address("192.0.2.255")));
  EXPECT_FALSE(small.contains(address("192.0.2.127")));
  EXPECT_FALSE(small.contains(address("192.0.3.128")));
  const Network wide("2001:db8:8000::/33");
  EXPECT_TRUE(wide.contains(address("2001:db8:ffff::1")));
  EXPECT_FALSE(wide.contains(address("2001:db8:7fff::1")));
}

TEST(Network, EveryLengthEndsWhereItSays) {
  for (unsigned bits = 1; bits <= 32; ++bits) {
    SCOPED_TRACE(bits);
    // The base is the all-ones address cut to the prefix; flipping its last bit leaves the network.
    const std::uint32_t base = bits == 32 ? 0xffffffffU : ~(0xffffffffU >> bits);
    const auto written = [](std::uint32_t value) {
      const unsigned char bytes[] = {
          static_cast<unsigned char>(value >> 24), static_cast<unsigned char>(value >> 16),
          static_cast<unsigned char>(value >> 8), static_cast<unsigned char>(value)};
      return SocketAddress::from_bytes(SocketAddress::Family::ipv4, bytes, 0);
    };
    const Network network(written(base).ip() + "/" + std::to_string(bits));
    EXPECT_TRUE(network.contains(written(base)));
    EXPECT_TRUE(network.contains(written(0xffffffffU)));
    EXPECT_FALSE(network.contains(written(base ^ (1U << (32 - bits)))));
  }
}

TEST(Network, OneAddressIsANetworkOfItself) {
  EXPECT_TRUE(Network("10.1.2.3").contains(address("10.1.2.3")));
  EXPECT_FALSE(Network("10.1.2.3").contains(address("10.1.2.2")));
  EXPECT_TRUE(Network("::1").contains(address("::1")));
  EXPECT_FALSE(Network("::1").contains(address("::2")));
}

TEST(Network, AllOfAFamilyDoesNotHoldTheOther) {
  EXPECT_TRUE(Network("0.0.0.0/0").contains(address("255.1.2.3")));
  EXPECT_FALSE(Network("0.0.0.0/0").contains(address("::1")));
  EXPECT_TRUE(Network("::/0").contains(address("2001:db8::1")));
  EXPECT_FALSE(Network("::/0").contains(address("10.0.0.1")));
  EXPECT_FALSE(Network("::/0").contains(SocketAddress()));
  EXPECT_FALSE(Network("0.0.0.0/0").contains(SocketAddress::unix_peer()));
}

TEST(Network, MappedAddressesAreIPv4) {  // RFC 4291 §2.5.5.2
  EXPECT_TRUE(Network("10.0.0.0/8").contains(address("::ffff:10.9.8.7")));
  EXPECT_FALSE(Network("::/0").contains(address("::ffff:10.9.8.7")));
  EXPECT_EQ(Network("::ffff:10.0.0.0/104").to_string(), "10.0.0.0/8");
  EXPECT_TRUE(Network("::ffff:10.0.0.0/104").contains(address("10.9.8.7")));
  EXPECT_EQ(Network("::ffff:10.0.0.1").to_string(), "10.0.0.1");
}

TEST(Network, UnixSocketsAreOneByName) {
  EXPECT_TRUE(Network("unix").contains(SocketAddress::unix_peer()));
  EXPECT_FALSE(Network("unix").contains(address("127.0.0.1")));
  EXPECT_FALSE(Network("unix").contains(SocketAddress()));
  EXPECT_EQ(Network("unix").to_string(), "unix");
}

TEST(Network, WhatIsNoneIsAUsageErrorThatNamesIt) {
  for (const std::string_view text : {"",
                                      "/",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "10.0.0.0/-1",
                                      "10.0.0.0/+8",
                                      "10.0.0.0/8 ",
                                      " 10.0.0.0/8",
                                      "10.0.0/8",
                                      "10.0.0.0/8/8",
                                      "10.0.0.0/255.0.0.0",
                                      "10.0.0.1/8",
                                      "2001:db8::/129",
                                      "2001:db8::1/64",
                                      "fe80::1%lo",
                                      "[::1]",
                                      "localhost",
                                      "Unix",
                                      "*",
                                      "::ffff:0.0.0.0/95",
                                      "10.0.0.0/999999999999999999999"}) {
    try {
      const Network network(text);
      ADD_FAILURE() << text << " became " << network.to_string();
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("\"" + std::string(text) + "\""), std::string::npos)
          << error.what();
    }
  }
}

TEST(NetworkSet, HoldsWhatAnyOfItsNetworksHolds) {
  NetworkSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_FALSE(set.contains(address("10.0.0.1")));
  set.add("10.0.0.0/8");
  set.add("unix");
  set.add("fd00::/8");
  EXPECT_FALSE(set.empty());
  EXPECT_TRUE(set.contains(address("10.0.0.1")));
  EXPECT_TRUE(set.contains(address("fd12::1")));
  EXPECT_TRUE(set.contains(SocketAddress::unix_peer()));
  EXPECT_FALSE(set.contains(address("11.0.0.1")));
  EXPECT_THROW(set.add("nonsense"), UsageError);
}

}  // namespace
}  // namespace squall::net
