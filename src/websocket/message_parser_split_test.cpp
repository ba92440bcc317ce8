// SPDX-License-Identifier: Apache-2.0
#include "websocket/message_parser.hpp"
#include "websocket/test_frames.hpp"

#include <gtest/gtest.h>

#include <malloc.h>
#include <string>
#include <string_view>
#include <vector>

namespace squall::websocket {
namespace {

using testing::head;
using testing::masked;
using testing::run_server;
using testing::Seen;
using Kind = MessageParser::Kind;
using Events = std::vector<Seen>;

std::vector<std::string> one_by_one(std::string_view stream) {
  std::vector<std::string> pieces;
  for (const char byte : stream) pieces.emplace_back(1, byte);
  return pieces;
}

void expect_the_same_however_split(const std::string& stream, const Events& expected) {
  ASSERT_EQ(run_server({stream}), expected);
  ASSERT_EQ(run_server(one_by_one(stream)), expected);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    ASSERT_EQ(run_server({stream.substr(0, cut), stream.substr(cut)}), expected) << cut;
  }
}

std::string mixed_stream() {
  return masked(0x81, "small") + masked(0x82, std::string("\x00\xFF\x80", 3)) +
         masked(0x01, "frag\xE2") + masked(0x89, "ping inside") + masked(0x00, "\x82\xAC") +
         masked(0x00, "") + masked(0x8A, "") + masked(0x80, " done") + masked(0x89, "") +
         masked(0x82, std::string(300, 'l')) + masked(0x02, "") + masked(0x80, "tail") +
         masked(0x8A, std::string(125, 'p'));
}

Events mixed_events() {
  return {{Kind::text, CloseCode::none, "small"},
          {Kind::binary, CloseCode::none, std::string("\x00\xFF\x80", 3)},
          {Kind::ping, CloseCode::none, "ping inside"},
          {Kind::pong, CloseCode::none, ""},
          {Kind::text, CloseCode::none, "frag\xE2\x82\xAC done"},
          {Kind::ping, CloseCode::none, ""},
          {Kind::binary, CloseCode::none, std::string(300, 'l')},
          {Kind::binary, CloseCode::none, "tail"},
          {Kind::pong, CloseCode::none, std::string(125, 'p')}};
}

TEST(MessageParser, AnySplitOfAMixedStreamGivesTheSameEvents) {
  Events expected = mixed_events();
  expected.push_back({Kind::close, CloseCode::going_away, "bye"});
  expect_the_same_however_split(mixed_stream() + masked(0x88,
                                                        "\x03\xE9"
                                                        "bye"),
                                expected);
}

TEST(MessageParser, AnySplitOfACloseInsideAMessageGivesTheSameEvents) {  // RFC 6455 §5.5.1
  expect_the_same_however_split(
      masked(0x02, "begun") + masked(0x88, "\x03\xE8") + masked(0x80, "never"),
      {{Kind::close, CloseCode::normal, ""}});
}

TEST(MessageParser, AnySplitOfAFailureGivesTheSameEvents) {
  Events broken = mixed_events();
  broken.push_back({Kind::failed, CloseCode::protocol_error});
  expect_the_same_however_split(mixed_stream() + masked(0x80, "of nothing"), broken);
  broken.back().code = CloseCode::invalid_payload;
  expect_the_same_however_split(mixed_stream() + masked(0x81, "bad \xED\xA0\x80"), broken);
  broken.back().code = CloseCode::message_too_big;
  expect_the_same_however_split(mixed_stream() + head(0x82, (1 << 20) + 1, true), broken);
}

TEST(MessageParser, AnyThreePiecesOfAShortStreamGiveTheSameEvents) {
  const std::string stream = masked(0x01, "\xF0\x9F") + masked(0x89, "in between") +
                             masked(0x80, "\x98\x80") + masked(0x88, "\x03\xE8");
  const Events expected = run_server({stream});
  ASSERT_EQ(expected.size(), 3U);
  for (std::size_t a = 0; a <= stream.size(); ++a) {
    for (std::size_t b = a; b <= stream.size(); ++b) {
      ASSERT_EQ(run_server({stream.substr(0, a), stream.substr(a, b - a), stream.substr(b)}),
                expected)
          << a << ' ' << b;
    }
  }
}

TEST(MessageParser, LongFormsMayBeSplitInTheirHead) {  // RFC 6455 §5.2
  const std::string payload(70000, 'x');
  const std::string stream = masked(0x82, payload);
  for (std::size_t cut = 0; cut <= 20; ++cut) {
    EXPECT_EQ(run_server({stream.substr(0, cut), stream.substr(cut)}),
              (Events{{Kind::binary, CloseCode::none, payload}}));
  }
}

TEST(MessageParser, AServersStreamMayBeSplitToo) {
  const std::string stream = testing::unmasked(0x01, "Hel") + testing::unmasked(0x8A, "beat") +
                             testing::unmasked(0x80, "lo");
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    MessageParser parser(MessageParser::Role::client);
    EXPECT_EQ(
        testing::run(parser, {stream.substr(0, cut), stream.substr(cut)}),
        (Events{{Kind::pong, CloseCode::none, "beat"}, {Kind::text, CloseCode::none, "Hello"}}));
  }
}

// Every kind of bad text, as one frame in every split: the failure comes with the first byte that
// rules it out, not at the end of the frame or the message.
TEST(MessageParser, BadTextFailsWithItsFirstBadByte) {  // RFC 6455 §8.1; Autobahn 6.4
  struct Case {
    std::string_view text;
    std::size_t wrong_at;
  };
  const Case cases[] = {{"a\x80zz", 1},         {"a\xC0\x80zz", 1},         {"a\xE0\x80\x80zz", 2},
                        {"a\xED\xA0\x80zz", 2}, {"a\xF4\x90\x80\x80zz", 2}, {"a\xF5zz", 1},
                        {"a\xE2\x82zz", 3}};
  for (const auto& [text, wrong_at] : cases) {
    for (const unsigned first : {0x81U, 0x01U}) {
      const std::string frame = masked(first, text);
      const std::size_t payload_at = frame.size() - text.size();
      MessageParser parser(MessageParser::Role::server);
      EXPECT_TRUE(testing::run(parser, {frame.substr(0, payload_at + wrong_at)}).empty());
      EXPECT_EQ(testing::run(parser, {frame.substr(payload_at + wrong_at, 1)}),
                testing::failure(CloseCode::invalid_payload));
    }
  }
}

// The bytes that the C library has given out and not got back.
std::size_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

bool heap_is_counted() {
  // A sanitizer's allocator tells nothing here.
  return heap_bytes() != 0;
}

std::size_t feed_and_measure(MessageParser& parser, std::string bytes) {
  const std::size_t before = heap_bytes();
  std::span<char> input(bytes);
  EXPECT_EQ(parser.next(input).kind, Kind::need_more);
  const std::size_t after = heap_bytes();
  return after > before ? after - before : 0;
}

TEST(MessageParser, CostsLittleWhenAMessageIsOnlyAnnounced) {
  if (!heap_is_counted()) GTEST_SKIP() << "the allocator does not count";
  MessageParser parser(MessageParser::Role::server);
  EXPECT_LT(feed_and_measure(parser, head(0x82, 10 * 1024 * 1024, true)), 1024U);
  EXPECT_LT(feed_and_measure(parser, "x"), 4096U);
  EXPECT_LT(feed_and_measure(parser, std::string(4096, 'x')), 3 * 4096U);
}

TEST(MessageParser, GivesItsMemoryBackAfterAMessage) {
  if (!heap_is_counted()) GTEST_SKIP() << "the allocator does not count";
  MessageParser parser(MessageParser::Role::server);
  // The first round fills the C library's cache of small blocks, which it counts as given out.
  for (int round = 0; round < 2; ++round) {
    SCOPED_TRACE(round);
    std::string first = masked(0x02, std::string(100000, 'x'));
    std::string last = masked(0x80, std::string(100000, 'y'));
    const std::size_t before = heap_bytes();
    std::span<char> input(first);
    EXPECT_EQ(parser.next(input).kind, Kind::need_more);
    EXPECT_GT(heap_bytes(), before + 99999);
    input = last;
    EXPECT_EQ(parser.next(input).payload.size(), 200000U);
    EXPECT_EQ(parser.next(input).kind, Kind::need_more);
    if (round > 0) {
      EXPECT_EQ(heap_bytes(), before);
    }
  }
}

}  // namespace
}  // namespace squall::websocket
