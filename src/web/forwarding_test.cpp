// SPDX-License-Identifier: Apache-2.0
#include "web/forwarding.hpp"

#include "http/head_parser_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace squall::web {
namespace {

using enum ProxyHeaders;

struct Trust {
  explicit Trust(std::initializer_list<std::string_view> networks) {
    for (const std::string_view network : networks) set.add(network);
  }
  net::NetworkSet set;
};

// "address scheme host" for a request with these fields from `peer`.
std::string read(std::string_view fields, std::string_view peer = "10.0.0.1",
                 ProxyHeaders headers = x_forwarded) {
  static const Trust trust({"10.0.0.0/8", "fd00::/8", "unix"});
  const http::ParsedHead parsed("GET / HTTP/1.1\r\nHost: here.example\r\n" + std::string(fields) +
                                "\r\n");
  EXPECT_EQ(parsed.status, http::HeadStatus::done) << fields;
  const net::SocketAddress address =
      peer == "unix" ? net::SocketAddress::unix_peer() : net::SocketAddress::parse(peer, 4711);
  const Forwarding got = read_forwarding(parsed.head, address, trust.set, headers);
  constexpr std::string_view schemes[] = {"-", "http", "https"};
  return got.client.ip() + " " + std::string(schemes[static_cast<std::size_t>(got.scheme)]) + " " +
         (got.host.empty() ? "-" : got.host);
}

std::string x_for(std::string_view value) {
  return "X-Forwarded-For: " + std::string(value) + "\r\n";
}

TEST(Forwarding, TheFirstAddressFromTheRightThatIsNotTrustedIsTheClient) {
  EXPECT_EQ(read(x_for("192.0.2.1")), "192.0.2.1 - -");
  EXPECT_EQ(read(x_for("192.0.2.1, 10.9.9.9")), "192.0.2.1 - -");
  EXPECT_EQ(read(x_for("192.0.2.1, 10.9.9.9, 10.8.8.8")), "192.0.2.1 - -");
  EXPECT_EQ(read(x_for("192.0.2.1") + x_for("10.9.9.9")), "192.0.2.1 - -");
  EXPECT_EQ(read(x_for("2001:db8::1, fd00::7")), "2001:db8::1 - -");
  EXPECT_EQ(read(x_for("192.0.2.1:1234, [fd00::7]:80")), "192.0.2.1 - -");
  EXPECT_EQ(read(x_for("192.0.2.1, ::ffff:10.9.9.9")), "192.0.2.1 - -");
}

TEST(Forwarding, WhatTheClientWroteItselfIsNotBelieved) {
  EXPECT_EQ(read(x_for("127.0.0.1, 192.0.2.1")), "192.0.2.1 - -");
  EXPECT_EQ(read(x_for("10.0.0.9, 192.0.2.1, 10.9.9.9")), "192.0.2.1 - -");
  EXPECT_EQ(read(x_for("1.1.1.1, 192.0.2.1") + "X-Forwarded-Proto: https, http\r\n"
                                               "X-Forwarded-Host: evil.example, good.example\r\n"),
            "192.0.2.1 http good.example");
}

TEST(Forwarding, APeerThatIsNotTrustedIsTheClientWhateverItSays) {
  const std::string fields = x_for("1.1.1.1") +
                             "X-Forwarded-Proto: https\r\nX-Real-IP: 1.1.1.1\r\n"
                             "X-Forwarded-Host: evil.example\r\n"
                             "Forwarded: for=1.1.1.1;proto=https\r\n";
  for (const ProxyHeaders headers : {x_forwarded, forwarded, x_real_ip}) {
    EXPECT_EQ(read(fields, "192.0.2.7", headers), "192.0.2.7 - -");
    EXPECT_EQ(read(fields, "2001:db8::7", headers), "2001:db8::7 - -");
  }
}

TEST(Forwarding, OnlyTheFieldsThatWereChosenCount) {
  const std::string both =
      x_for("1.1.1.1") + "X-Real-IP: 3.3.3.3\r\nForwarded: for=2.2.2.2;proto=https;host=two\r\n";
  EXPECT_EQ(read(both, "10.0.0.1", x_forwarded), "1.1.1.1 - -");
  EXPECT_EQ(read(both, "10.0.0.1", forwarded), "2.2.2.2 https two");
  EXPECT_EQ(read(both, "10.0.0.1", x_real_ip), "3.3.3.3 - -");
  EXPECT_EQ(read("Forwarded: for=2.2.2.2\r\n"), "10.0.0.1 - -");
  EXPECT_EQ(read(x_for("1.1.1.1"), "10.0.0.1", forwarded), "10.0.0.1 - -");
}

TEST(Forwarding, AtWhatIsNoAddressTheProxyThatSaidItIsTheClient) {
  for (const std::string_view garbage :
       {"unknown", "_hidden", "x", "1.2.3", "1.2.3.4.5", "localhost", "1.2.3.4:", "<script>"}) {
    EXPECT_EQ(read(x_for("192.0.2.1, " + std::string(garbage))), "10.0.0.1 - -") << garbage;
    EXPECT_EQ(read(x_for("192.0.2.1, " + std::string(garbage) + ", 10.9.9.9")), "10.9.9.9 - -")
        << garbage;
  }
}

TEST(Forwarding, WhenAllAreTrustedTheOutermostIsTheClient) {
  EXPECT_EQ(read(x_for("10.1.1.1, 10.2.2.2")), "10.1.1.1 - -");
  EXPECT_EQ(read(""), "10.0.0.1 - -");
  EXPECT_EQ(read(x_for("")), "10.0.0.1 - -");
  EXPECT_EQ(read(x_for("192.0.2.1"), "unix"), "192.0.2.1 - -");
  EXPECT_EQ(read("", "unix"), "unix - -");
}

TEST(Forwarding, SchemeAndHostAreThoseThatTheOutermostTrustedProxySaw) {
  EXPECT_EQ(read(x_for("192.0.2.1") + "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a:8443\r\n"),
            "192.0.2.1 https a:8443");
  EXPECT_EQ(read(x_for("192.0.2.1, 10.9.9.9") + "X-Forwarded-Proto: https, http\r\n"),
            "192.0.2.1 https -");
  EXPECT_EQ(read(x_for("192.0.2.1, 10.9.9.9") + "X-Forwarded-Proto: https\r\n"),
            "192.0.2.1 https -");
  EXPECT_EQ(read("X-Forwarded-Proto: https\r\n"), "10.0.0.1 https -");
  EXPECT_EQ(read("Forwarded: for=192.0.2.1;proto=https;host=outer, for=10.9.9.9;proto=http\r\n",
                 "10.0.0.1", forwarded),
            "192.0.2.1 https outer");
  EXPECT_EQ(read("Forwarded: for=192.0.2.1, for=10.9.9.9;proto=https;host=inner\r\n", "10.0.0.1",
                 forwarded),
            "192.0.2.1 https inner");
  EXPECT_EQ(read("Forwarded: for=_hidden;proto=https;host=h\r\n", "10.0.0.1", forwarded),
            "10.0.0.1 https h");
}

TEST(Forwarding, SchemesAndHostsThatAreNoneAreIgnored) {
  for (const std::string_view proto : {"ftp", "ws", "https:", "javascript", "\"https\"", "1"}) {
    EXPECT_EQ(read(x_for("192.0.2.1") + "X-Forwarded-Proto: " + std::string(proto) + "\r\n"),
              "192.0.2.1 - -");
  }
  EXPECT_EQ(read("X-Forwarded-Proto: HTTPS\r\n"), "10.0.0.1 https -");
  for (const std::string_view host :
       {"a b", "a/b", "a:99999", "a:b", "[::1", "<x>", "a@b", "\"a\""}) {
    EXPECT_EQ(read("X-Forwarded-Host: " + std::string(host) + "\r\n"), "10.0.0.1 - -") << host;
  }
}

TEST(Forwarding, AMalformedForwardedFieldEndsTheWalk) {
  EXPECT_EQ(read("Forwarded: for=\"1.1.1.1, for=192.0.2.1\r\n", "10.0.0.1", forwarded),
            "10.0.0.1 - -");
  EXPECT_EQ(read("Forwarded: for=1.1.1.1;x\r\nForwarded: for=10.9.9.9\r\n", "10.0.0.1", forwarded),
            "10.9.9.9 - -");
  EXPECT_EQ(read("Forwarded: for=\"1.1.1.1\r\nForwarded: for=192.0.2.1\r\n", "10.0.0.1", forwarded),
            "192.0.2.1 - -");
}

TEST(Forwarding, XRealIPIsOneAddress) {
  EXPECT_EQ(read("X-Real-IP: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n", "10.0.0.1", x_real_ip),
            "192.0.2.1 https -");
  EXPECT_EQ(read("X-Real-IP: 1.1.1.1\r\nX-Real-IP: 192.0.2.1\r\n", "10.0.0.1", x_real_ip),
            "192.0.2.1 - -");
  EXPECT_EQ(read("X-Real-IP: nobody\r\n", "10.0.0.1", x_real_ip), "10.0.0.1 - -");
}

TEST(Forwarding, TheWalkHasALimit) {
  std::string value = "192.0.2.1";
  for (std::size_t i = 1; i < limits::proxy_hops; ++i) value += ", 10.1.1.1";
  EXPECT_EQ(read(x_for(value)), "192.0.2.1 - -");
  EXPECT_EQ(read(x_for(value + ", 10.1.1.1")), "10.1.1.1 - -");
}

TEST(Forwarding, SettingsThatAreWrongAreUsageErrors) {
  EXPECT_THROW(Application({}, {.trusted_proxies = {"10.0.0.0/33"}}), UsageError);
  EXPECT_THROW(Application({}, {.trusted_proxies = {"localhost"}}), UsageError);
  EXPECT_THROW(Application({}, {.protocol = "HTTPS"}), UsageError);
  Application app;
  EXPECT_THROW(app.listen(0, {.proxy_protocol = ProxyProtocol::required}), UsageError);
}

}  // namespace
}  // namespace squall::web
