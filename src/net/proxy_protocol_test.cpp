// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_protocol.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace squall::net {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using enum ProxyError;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string number(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

/// A header of version 2.
std::string binary(unsigned command, unsigned family, std::string_view rest) {
  std::string text = signature;
  text += static_cast<char>(command);
  text += static_cast<char>(family);
  return text + number(rest.size()) + std::string(rest);
}

std::string option(unsigned type, std::string_view value) {
  return static_cast<char>(type) + number(value.size()) + std::string(value);
}

const std::string ipv4 = "\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb"s;

struct Read {
  ProxyParse state;
  ProxyHeader header;
  ProxyError error{};
};

Read read(std::string_view in) {
  Read result{};
  result.state = parse_proxy_header(in, result.header, result.error);
  return result;
}

// Each prefix wants more, and the whole, with and without what follows, gives the same.
void expect_header(std::string_view text, std::string_view source, std::string_view destination) {
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_EQ(read(text.substr(0, cut)).state, ProxyParse::need_more) << text << " cut at " << cut;
  }
  for (const std::string_view behind : {""sv, "GET / HTTP/1.1\r\n"sv, "\r\n"sv}) {
    const Read got = read(std::string(text) + std::string(behind));
    ASSERT_EQ(got.state, ProxyParse::done) << text << make_error_code(got.error).message();
    EXPECT_EQ(got.header.bytes, text.size());
    EXPECT_EQ(got.header.has_addresses, !source.empty());
    EXPECT_EQ(got.header.source.to_string(), source);
    EXPECT_EQ(got.header.destination.to_string(), destination);
  }
}

// The whole fails so, and no prefix is taken for a header.
void expect_failure(std::string_view text, ProxyError error) {
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const Read got = read(text.substr(0, cut));
    EXPECT_NE(got.state, ProxyParse::done) << text << " cut at " << cut;
    if (got.state != ProxyParse::failed) continue;
    EXPECT_EQ(got.error, error) << text << " cut at " << cut;
  }
  EXPECT_EQ(read(text).state, ProxyParse::failed) << text;
}

TEST(ProxyProtocol, ReadsTextLines) {  // §2.1
  expect_header("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", "192.0.2.1:56324",
                "198.51.100.2:443");
  expect_header("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
                "255.255.255.255:65535", "255.255.255.255:65535");
  expect_header("PROXY TCP6 2001:db8::1 2001:db8::2 0 1\r\n", "[2001:db8::1]:0", "[2001:db8::2]:1");
  expect_header(
      "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
      "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
      "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

TEST(ProxyProtocol, UnknownConnectionsHaveNoAddresses) {  // §2.1
  expect_header("PROXY UNKNOWN\r\n", "", "");
  expect_header("PROXY UNKNOWN what ever stands here\r\n", "", "");
  expect_header(
      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
      "", "");
}

TEST(ProxyProtocol, RefusesTextLinesThatAreNotAsTheyMustBe) {
  for (const std::string_view text : {
           "PROXY \r\n"sv,
           "PROXY TCP4\r\n"sv,
           "PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n"sv,
           "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n"sv,
           "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n"sv,
           "PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n"sv,
           "PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n"sv,
           "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n"sv,
           "PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n"sv,
           "PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n"sv,
           "PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n"sv,
           "PROXY TCP4 192.0.2.1 198.51.100.2 1 2x\r\n"sv,
           "PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n"sv,
           "PROXY TCP4 192.0.2.1 ::1 1 2\r\n"sv,
           "PROXY TCP4 ::1 ::1 1 2\r\n"sv,
           "PROXY TCP6 192.0.2.1 192.0.2.1 1 2\r\n"sv,
           "PROXY TCP5 192.0.2.1 192.0.2.1 1 2\r\n"sv,
           "PROXY tcp4 192.0.2.1 192.0.2.1 1 2\r\n"sv,
           "PROXY UDP4 192.0.2.1 192.0.2.1 1 2\r\n"sv,
           "PROXY UNKNOWNS\r\n"sv,
           "PROXY UNKNOWN a\nb\r\n"sv,
           "PROXY UNKNOWN a\rb\r\n"sv,
           "PROXY TCP4 localhost localhost 1 2\r\n"sv,
           "PROXY TCP4 192.0.2.1\0 198.51.100.2 1 2\r\n"sv,
           "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n"sv,
           "PROXY TCP4 192.0.2.1 198.51.100.2 1\r 2\r\n"sv,
       }) {
    expect_failure(text, bad_text);
  }
}

TEST(ProxyProtocol, ATextLineHas107BytesAtMost) {
  const std::string most = "PROXY UNKNOWN " + std::string(107 - 14 - 2, 'x') + "\r\n";
  EXPECT_EQ(read(most).state, ProxyParse::done);
  expect_failure("PROXY UNKNOWN " + std::string(108 - 14 - 2, 'x') + "\r\n", bad_text);
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(107 - 14, 'x')).state, ProxyParse::failed);
}

TEST(ProxyProtocol, OtherBytesAreNoHeader) {
  for (const std::string_view text :
       {"GET / HTTP/1.1\r\n"sv, "PROXY\r\n"sv, "proxy TCP4"sv, "\x16\x03\x01"sv, "\r\n\r\nGET"sv,
        "PRI * HTTP/2.0"sv, " PROXY TCP4"sv, "\0"sv}) {
    expect_failure(text, no_header);
  }
}

TEST(ProxyProtocol, ReadsBinaryHeaders) {  // §2.2
  expect_header(binary(0x21, 0x11, ipv4), "192.0.2.1:56324", "198.51.100.2:443");
  const std::string source = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"s;
  const std::string destination = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"s;
  expect_header(binary(0x21, 0x21, source + destination + "\x30\x39\x00\x50"s),
                "[2001:db8::1]:12345", "[2001:db8::2]:80");
  expect_header(binary(0x21, 0x31, std::string(216, 'p')), "unix", "unix");
}

TEST(ProxyProtocol, AMappedAddressIsIPv4) {
  const std::string mapped = "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\7"s;
  expect_header(binary(0x21, 0x21, mapped + mapped + "\0\1\0\2"s), "192.0.2.7:1", "192.0.2.7:2");
}

TEST(ProxyProtocol, LocalConnectionsAndUnspecifiedOnesHaveNoAddresses) {
  expect_header(binary(0x20, 0x00, ""), "", "");
  expect_header(binary(0x20, 0x11, ipv4), "", "");
  expect_header(binary(0x20, 0x11, "short"), "", "");
  expect_header(binary(0x21, 0x00, ""), "", "");
  expect_header(binary(0x21, 0x01, ""), "", "");
  expect_header(binary(0x21, 0x12, ipv4), "", "");  // datagrams over a stream
  expect_header(binary(0x21, 0x10, ipv4), "", "");
}

TEST(ProxyProtocol, OptionsArePassedOver) {  // §2.2, 2.2.x
  const std::string options =
      option(0x01, "h2") + option(0x02, "name.example") + option(0x04, "") + option(0xea, "own");
  expect_header(binary(0x21, 0x11, ipv4 + options), "192.0.2.1:56324", "198.51.100.2:443");
  expect_header(binary(0x21, 0x00, options), "", "");
}

TEST(ProxyProtocol, OptionsThatReachPastTheHeaderAreRefused) {
  const std::string whole = option(0x01, "h2");
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    expect_failure(binary(0x21, 0x11, ipv4 + whole.substr(0, cut)), bad_option);
  }
  expect_failure(binary(0x21, 0x11, ipv4 + option(0x04, "") + "\x01\xff\xff"), bad_option);
}

// Written another way than the parser's: bit by bit.
std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t value = 0xffffffff;
  for (const char c : bytes) {
    value ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1) != 0 ? value >> 1 ^ 0x82f63b78 : value >> 1;
    }
  }
  return ~value;
}

std::string with_checksum(std::string_view behind) {
  std::string text = binary(0x21, 0x11, ipv4 + option(0x03, "\0\0\0\0"sv) + std::string(behind));
  const std::uint32_t crc = crc32c(text);
  const std::size_t at = signature.size() + 4 + ipv4.size() + 3;
  for (std::size_t i = 0; i < 4; ++i) text[at + i] = static_cast<char>(crc >> (24 - 8 * i));
  return text;
}

TEST(ProxyProtocol, AChecksumIsVerified) {      // §2.2.3
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);  // RFC 3720 §B.4's polynomial
  const std::string good = with_checksum(option(0x01, "h2"));
  expect_header(good, "192.0.2.1:56324", "198.51.100.2:443");
  for (std::size_t i = 16; i < 28; ++i) {  // the addresses
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    expect_failure(bad, bad_checksum);
  }
  expect_failure(binary(0x21, 0x11, ipv4 + option(0x03, "abc")), bad_checksum);
}

TEST(ProxyProtocol, RefusesWhatIsNotAssigned) {
  expect_failure(binary(0x11, 0x11, ipv4), bad_version);
  expect_failure(binary(0x31, 0x11, ipv4), bad_version);
  expect_failure(binary(0x22, 0x11, ipv4), bad_command);
  expect_failure(binary(0x2f, 0x11, ipv4), bad_command);
  expect_failure(binary(0x21, 0x41, ipv4), bad_family);
  expect_failure(binary(0x21, 0x13, ipv4), bad_family);
  expect_failure(binary(0x21, 0xff, ipv4), bad_family);
}

TEST(ProxyProtocol, AHeaderHoldsTheAddressesOfItsFamily) {
  expect_failure(binary(0x21, 0x11, ipv4.substr(0, 11)), too_short);
  expect_failure(binary(0x21, 0x21, std::string(35, 'a')), too_short);
  expect_failure(binary(0x21, 0x31, std::string(215, 'a')), too_short);
}

TEST(ProxyProtocol, AHeaderIsNoLargerThanItsLimit) {
  const std::size_t room = limits::proxy_header_bytes - 16 - ipv4.size() - 3;
  const std::string most = binary(0x21, 0x11, ipv4 + option(0xe0, std::string(room, 'x')));
  ASSERT_EQ(most.size(), limits::proxy_header_bytes);
  EXPECT_EQ(read(most).state, ProxyParse::done);
  const std::string more = binary(0x21, 0x11, ipv4 + option(0xe0, std::string(room + 1, 'x')));
  EXPECT_EQ(read(more.substr(0, 16)).state, ProxyParse::failed);  // before it has come
  EXPECT_EQ(read(more.substr(0, 16)).error, too_long);
}

}  // namespace
}  // namespace squall::net
