// SPDX-License-Identifier: Apache-2.0
#include <squall/net/address.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace squall::net {
namespace {

TEST(SocketAddress, ParsesLiteralsAndWritesThemBack) {
  EXPECT_EQ(SocketAddress::parse("127.0.0.1", 80).to_string(), "127.0.0.1:80");
  EXPECT_EQ(SocketAddress::parse("::1", 8080).to_string(), "[::1]:8080");
  EXPECT_EQ(SocketAddress::parse("2001:DB8:0:0::1", 1).ip(), "2001:db8::1");
}

TEST(SocketAddress, WhatIsNoAddressIsNone) {
  for (const std::string_view text :
       {std::string_view(""), std::string_view("localhost"), std::string_view("1.2.3"),
        std::string_view("1.2.3.4.5"), std::string_view("::1%lo\0", 7), std::string_view(":::"),
        std::string_view("127.0.0.1\0", 10)}) {
    EXPECT_EQ(SocketAddress::parse(text, 1).family(), SocketAddress::Family::none) << text;
  }
}

TEST(SocketAddress, AMappedIPv4AddressIsWrittenAsIPv4) {
  sockaddr_in6 native{};
  native.sin6_family = AF_INET6;
  native.sin6_port = htons(99);
  ASSERT_EQ(::inet_pton(AF_INET6, "::ffff:10.0.0.7", &native.sin6_addr), 1);
  const auto address = SocketAddress::from_native(&native, sizeof native);
  EXPECT_EQ(address.to_string(), "10.0.0.7:99");
  EXPECT_EQ(address, SocketAddress::parse("10.0.0.7", 99));
}

TEST(SocketAddress, GoesToTheSystemAndBack) {
  for (const char* const ip : {"10.1.2.3", "2001:db8::7"}) {
    const auto address = SocketAddress::parse(ip, 443);
    sockaddr_storage native{};
    const std::size_t size = address.to_native(&native, sizeof native);
    EXPECT_GT(size, 0U);
    EXPECT_EQ(SocketAddress::from_native(&native, size), address);
    EXPECT_EQ(address.to_native(&native, 4), 0U) << "no room";
  }
  EXPECT_EQ(SocketAddress::parse("::1", 1).with_port(2).to_string(), "[::1]:2");
}

TEST(IsValidIp, TellsLiteralsFromEverythingElse) {
  EXPECT_TRUE(is_valid_ip("127.0.0.1"));
  EXPECT_TRUE(is_valid_ip("::1"));
  for (const std::string_view text :
       {std::string_view(""), std::string_view("localhost"), std::string_view("1.2.3"),
        std::string_view("127.0.0.1\0", 10), std::string_view("4.4.4.4 "),
        std::string_view("[::1]")}) {
    EXPECT_FALSE(is_valid_ip(text)) << text;
  }
  EXPECT_FALSE(is_valid_ip(std::string(1000, '1')));
}

}  // namespace
}  // namespace squall::net
