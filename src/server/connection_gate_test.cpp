// SPDX-License-Identifier: Apache-2.0
#include "server/connection_gate.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <thread>
#include <vector>

namespace squall::server {
namespace {

using Place = ConnectionGate::Place;

/// Enters with an address; no_place when it has too many.
Place enter(ConnectionGate& gate, std::string_view ip) {
  Place place = gate.enter();
  if (gate.add_address(place, net::SocketAddress::parse(ip, 1))) return place;
  gate.leave(place);
  return ConnectionGate::no_place;
}

TEST(ConnectionGate, IsFullAtItsMaximumAndNotBelow) {
  ConnectionGate gate({.max_connections = 2});
  const Place first = gate.enter();
  EXPECT_FALSE(gate.is_full());
  const Place second = gate.enter();
  EXPECT_TRUE(gate.is_full());
  gate.leave(first);
  EXPECT_FALSE(gate.is_full());
  gate.leave(second);
  EXPECT_EQ(gate.count(), 0U);
}

TEST(ConnectionGate, WithoutLimitsNothingIsFullAndNoAddressIsKept) {
  ConnectionGate gate({});
  std::vector<Place> places;
  for (int i = 0; i < 1000; ++i) places.push_back(enter(gate, "192.0.2.1"));
  EXPECT_FALSE(gate.is_full());
  EXPECT_EQ(gate.count(), 1000U);
  EXPECT_EQ(gate.addresses(), 0U);
  for (const Place place : places) gate.leave(place);
  EXPECT_EQ(gate.count(), 0U);
}

TEST(ConnectionGate, AnAddressHasAsManyAsItMay) {
  ConnectionGate gate({.max_per_address = 2});
  const Place first = enter(gate, "192.0.2.1");
  const Place second = enter(gate, "192.0.2.1");
  EXPECT_NE(first, ConnectionGate::no_place);
  EXPECT_NE(second, ConnectionGate::no_place);
  EXPECT_EQ(enter(gate, "192.0.2.1"), ConnectionGate::no_place);
  EXPECT_EQ(enter(gate, "::ffff:192.0.2.1"), ConnectionGate::no_place);
  const Place other = enter(gate, "192.0.2.2");
  EXPECT_NE(other, ConnectionGate::no_place);
  gate.leave(first);
  const Place again = enter(gate, "192.0.2.1");
  EXPECT_NE(again, ConnectionGate::no_place);
  for (const Place place : {second, other, again}) gate.leave(place);
  EXPECT_EQ(gate.count(), 0U);
  EXPECT_EQ(gate.addresses(), 0U);  // nothing is remembered of those who have left
}

TEST(ConnectionGate, IPv6AddressesCountByTheir64BitPrefix) {
  ConnectionGate gate({.max_per_address = 1});
  EXPECT_NE(enter(gate, "2001:db8:0:1::1"), ConnectionGate::no_place);
  EXPECT_EQ(enter(gate, "2001:db8:0:1:ffff::2"), ConnectionGate::no_place);
  EXPECT_NE(enter(gate, "2001:db8:0:2::1"), ConnectionGate::no_place);
}

TEST(ConnectionGate, FamiliesAreNotMixedUp) {
  ConnectionGate gate({.max_per_address = 1});
  EXPECT_NE(enter(gate, "192.0.2.1"), ConnectionGate::no_place);
  EXPECT_NE(enter(gate, "0:1:c000:201::"), ConnectionGate::no_place);
  EXPECT_NE(enter(gate, "c000:201::"), ConnectionGate::no_place);
  EXPECT_NE(enter(gate, "0.0.0.1"), ConnectionGate::no_place);
}

TEST(ConnectionGate, ProxiesAndUnixSocketsMayHaveAnyNumber) {
  net::NetworkSet proxies;
  proxies.add("10.0.0.0/8");
  ConnectionGate gate({.max_per_address = 1, .proxies = &proxies});
  for (int i = 0; i < 5; ++i) {
    EXPECT_NE(enter(gate, "10.1.2.3"), ConnectionGate::no_place);
    Place place = gate.enter();
    EXPECT_TRUE(gate.add_address(place, net::SocketAddress::unix_peer()));
  }
  EXPECT_EQ(gate.addresses(), 0U);
  EXPECT_NE(enter(gate, "11.1.2.3"), ConnectionGate::no_place);
  EXPECT_EQ(enter(gate, "11.1.2.3"), ConnectionGate::no_place);
}

TEST(ConnectionGate, LoopsOfSeveralThreadsShareIt) {
  ConnectionGate gate({.max_connections = 100, .max_per_address = 3});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&gate] {
      for (int round = 0; round < 5000; ++round) {
        const Place place = enter(gate, "192.0.2.1");
        const Place other = enter(gate, "2001:db8::1");
        gate.leave(place);
        gate.leave(other);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(gate.count(), 0U);
  EXPECT_EQ(gate.addresses(), 0U);
}

TEST(RareLine, IsWrittenOnceASecondAndKnowsWhatItSkipped) {
  RareLine line(1000);
  std::size_t skipped = 99;
  EXPECT_TRUE(line.is_due(5, skipped));
  EXPECT_EQ(skipped, 0U);
  EXPECT_FALSE(line.is_due(6, skipped));
  EXPECT_FALSE(line.is_due(1004, skipped));
  EXPECT_TRUE(line.is_due(1005, skipped));
  EXPECT_EQ(skipped, 2U);
  EXPECT_TRUE(line.is_due(9000, skipped));
  EXPECT_EQ(skipped, 0U);
}

}  // namespace
}  // namespace squall::server
