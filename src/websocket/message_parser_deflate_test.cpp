// SPDX-License-Identifier: Apache-2.0
#include "websocket/deflate.hpp"
#include "websocket/message_parser.hpp"
#include "websocket/test_frames.hpp"

#include <gtest/gtest.h>

#include <malloc.h>
#include <string>
#include <string_view>
#include <vector>

namespace squall::websocket {
namespace {

using namespace std::string_literals;
using testing::failure;
using testing::head;
using testing::masked;
using testing::Seen;
using Kind = MessageParser::Kind;
using Events = std::vector<Seen>;

// "Hello" alone, and again after it (RFC 7692 §7.2.3.1, §7.2.3.2).
const std::string hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"s;
const std::string hello_again = "\xf2\x00\x11\x00\x00"s;

DeflateParameters without_takeover() {
  DeflateParameters parameters;
  parameters.client_no_context_takeover = true;
  return parameters;
}

std::string compressed(std::string_view message) {
  DeflateSettings settings;
  settings.context_takeover = true;
  Deflater deflater(settings);
  std::string payload;
  deflater.compress(message, payload);
  return payload;
}

Events run(const std::vector<std::string>& pieces, std::size_t max_message_bytes = 1 << 20,
           DeflateParameters parameters = {}) {
  MessageParser parser(Role::server, max_message_bytes);
  parser.set_deflate(parameters);
  return testing::run(parser, pieces);
}

Events text(std::string_view message) {
  return {{Kind::text, CloseCode::none, std::string(message)}};
}

TEST(CompressedMessages, ComeOutInflated) {  // RFC 7692 §7.2.3
  EXPECT_EQ(run({masked(0xC1, hello)}), text("Hello"));
  EXPECT_EQ(run({masked(0xC2, hello)}), (Events{{Kind::binary, CloseCode::none, "Hello"}}));
  EXPECT_EQ(run({masked(0xC1, "\x00"s)}), text(""));
  EXPECT_EQ(run({masked(0x41, hello.substr(0, 3)) + masked(0x80, hello.substr(3))}), text("Hello"));
  // Messages that are not compressed may come between (§6).
  EXPECT_EQ(run({masked(0xC1, hello) + masked(0x81, "plain") + masked(0x01, "pl") +
                 masked(0x80, "ain") + masked(0xC1, hello_again)}),
            (Events{{Kind::text, CloseCode::none, "Hello"},
                    {Kind::text, CloseCode::none, "plain"},
                    {Kind::text, CloseCode::none, "plain"},
                    {Kind::text, CloseCode::none, "Hello"}}));
}

TEST(CompressedMessages, OfAServerComeOutInflated) {
  MessageParser parser(Role::client);
  parser.set_deflate({});
  EXPECT_EQ(
      testing::run(parser, {testing::unmasked(0xC1, hello) + testing::unmasked(0xC1, hello_again)}),
      (Events{{Kind::text, CloseCode::none, "Hello"}, {Kind::text, CloseCode::none, "Hello"}}));
}

TEST(CompressedMessages, ReferToThoseBeforeOnlyWhereThatWasAgreedOn) {  // RFC 7692 §7.1.1
  const std::string stream = masked(0xC1, hello) + masked(0xC1, hello_again);
  EXPECT_EQ(run({stream}).size(), 2U);
  EXPECT_EQ(
      run({stream}, 1 << 20, without_takeover()),
      (Events{{Kind::text, CloseCode::none, "Hello"}, {Kind::failed, CloseCode::invalid_payload}}));
}

TEST(CompressedMessages, HaveControlFramesBetweenTheirFragments) {  // RFC 7692 §6.1
  EXPECT_EQ(run({masked(0x41, hello.substr(0, 2)) + masked(0x89, "p") +
                 masked(0x00, hello.substr(2, 2)) + masked(0x8A, "") + masked(0x00, "") +
                 masked(0x80, hello.substr(4)) + masked(0xC1, hello_again)}),
            (Events{{Kind::ping, CloseCode::none, "p"},
                    {Kind::pong, CloseCode::none, ""},
                    {Kind::text, CloseCode::none, "Hello"},
                    {Kind::text, CloseCode::none, "Hello"}}));
}

TEST(CompressedMessages, AreRefusedUnlessAgreedOn) {  // RFC 6455 §5.2
  EXPECT_EQ(testing::run_server({masked(0xC1, hello)}), failure(CloseCode::protocol_error));
}

TEST(CompressedMessages, HaveTheBitOnTheirFirstFrameOnly) {  // RFC 7692 §6
  EXPECT_EQ(run({masked(0x41, hello.substr(0, 3)) + masked(0xC0, hello.substr(3))}),
            failure(CloseCode::protocol_error));
  EXPECT_EQ(run({masked(0x01, "x") + masked(0xC0, "y")}), failure(CloseCode::protocol_error));
  EXPECT_EQ(run({masked(0xC0, "y")}), failure(CloseCode::protocol_error));
  for (const unsigned control : {0x88U, 0x89U, 0x8AU}) {
    EXPECT_EQ(run({masked(control | 0x40U, "")}), failure(CloseCode::protocol_error));
  }
  for (const unsigned bits : {0x10U, 0x20U, 0x50U, 0x60U, 0x70U}) {
    EXPECT_EQ(run({masked(0x81 | bits, "")}), failure(CloseCode::protocol_error));
  }
  EXPECT_EQ(run({masked(0xC3, "")}), failure(CloseCode::protocol_error));
}

TEST(CompressedMessages, ThatAreNoDeflateAre1007) {
  EXPECT_EQ(run({masked(0xC1, "\x07")}), failure(CloseCode::invalid_payload));
  EXPECT_EQ(run({masked(0xC2, hello.substr(0, 4))}), failure(CloseCode::invalid_payload));
  EXPECT_EQ(run({masked(0xC2, hello + "\x00\x00\xff\xff"s)}), failure(CloseCode::invalid_payload));
  // At the first bad byte, not with the end of the message.
  EXPECT_EQ(run({masked(0x42, "\x07").substr(0, 7)}), failure(CloseCode::invalid_payload));
}

TEST(CompressedMessages, OfTextAreUtf8AfterInflation) {  // RFC 6455 §8.1
  EXPECT_EQ(run({masked(0xC1, compressed("\xE2\x82\xAC"))}), text("\xE2\x82\xAC"));
  EXPECT_EQ(run({masked(0xC1, compressed("a\xFF"))}), failure(CloseCode::invalid_payload));
  EXPECT_EQ(run({masked(0xC1, compressed("a\xE2\x82"))}), failure(CloseCode::invalid_payload));
  EXPECT_EQ(run({masked(0xC2, compressed("a\xFF"))}),
            (Events{{Kind::binary, CloseCode::none, "a\xFF"}}));
  // A message after bad luck with a cut character does not inherit anything.
  EXPECT_EQ(run({masked(0xC2, compressed("a\xE2")) + masked(0xC1, compressed("b"))}, 1 << 20,
                without_takeover())
                .size(),
            2U);
}

TEST(CompressedMessages, AreLimitedAfterInflation) {  // RFC 6455 §7.4.1, 1009
  const std::string fits(1000, 'x');
  EXPECT_EQ(run({masked(0xC1, compressed(fits))}, 1000), text(fits));
  EXPECT_EQ(run({masked(0xC1, compressed(fits + "x"))}, 1000), failure(CloseCode::message_too_big));
  EXPECT_EQ(run({masked(0xC1, compressed(""))}, 0), text(""));
  EXPECT_EQ(run({masked(0xC1, compressed("x"))}, 0), failure(CloseCode::message_too_big));
  // The limit is one message's.
  EXPECT_EQ(run({masked(0xC1, compressed(fits)) + masked(0xC1, compressed(fits))}, 1000).size(),
            2U);
  // Over fragments.
  const std::string payload = compressed(fits + "x");
  EXPECT_EQ(run({masked(0x41, payload.substr(0, 5)) + masked(0x80, payload.substr(5))}, 1000),
            failure(CloseCode::message_too_big));
}

TEST(CompressedMessages, AreLimitedBeforeInflation) {
  // By the head alone.
  EXPECT_EQ(run({head(0xC2, 2000, true)}, 1000), failure(CloseCode::message_too_big));
  EXPECT_EQ(run({head(0xC2, INT64_MAX, true)}, 1000), failure(CloseCode::message_too_big));
  // Empty blocks, of which nothing comes out.
  std::string nothing;
  while (nothing.size() < 600) nothing += "\x00\x00\x00\xff\xff"s;
  EXPECT_TRUE(run({masked(0x42, nothing)}, 1000).empty());
  EXPECT_TRUE(run({masked(0x42, nothing) + head(0x00, 1204 - nothing.size(), true)}, 1000).empty());
  EXPECT_EQ(run({masked(0x42, nothing) + head(0x00, 1205 - nothing.size(), true)}, 1000),
            failure(CloseCode::message_too_big));
}

TEST(CompressedMessages, OfTheLimitMayBeLongerThanItWhenTheyCannotBeCompressed) {
  for (const std::size_t size : {0U, 1U, 10U, 1000U, 100'000U}) {
    std::string noise;
    unsigned state = 1;
    while (noise.size() < size) {
      state = state * 1664525U + 1013904223U;
      noise.push_back(static_cast<char>(state >> 24));
    }
    const std::string payload = compressed(noise);
    EXPECT_GT(payload.size(), size);
    EXPECT_EQ(run({masked(0xC2, payload)}, size), (Events{{Kind::binary, CloseCode::none, noise}}));
  }
}

TEST(CompressedMessages, ThatBecomeVeryLargeAreStoppedAtTheLimit) {
  // 1,000 times its size.
  const std::string bomb = compressed(std::string(64 << 20, '\0'));
  ASSERT_LT(bomb.size(), 70'000U);
  EXPECT_EQ(run({masked(0xC2, bomb)}), failure(CloseCode::message_too_big));
}

std::string mixed_stream() {
  return masked(0xC1, hello) + masked(0x41, hello_again.substr(0, 2)) + masked(0x89, "ping") +
         masked(0x00, "") + masked(0x80, hello_again.substr(2)) +
         masked(0x81, "plain \xE2\x82\xAC") + masked(0xC2, "\x00"s) + masked(0xC2, hello_again) +
         masked(0x88, "\x03\xE8");
}
Events mixed_events() {
  return {
      {Kind::text, CloseCode::none, "Hello"}, {Kind::ping, CloseCode::none, "ping"},
      {Kind::text, CloseCode::none, "Hello"}, {Kind::text, CloseCode::none, "plain \xE2\x82\xAC"},
      {Kind::binary, CloseCode::none, ""},    {Kind::binary, CloseCode::none, "Hello"},
      {Kind::close, CloseCode::normal, ""}};
}

TEST(CompressedMessages, GiveTheSameInAnySplit) {
  const std::string stream = mixed_stream();
  ASSERT_EQ(run({stream}), mixed_events());
  std::vector<std::string> bytes;
  for (const char byte : stream) bytes.emplace_back(1, byte);
  ASSERT_EQ(run(bytes), mixed_events());
  for (std::size_t a = 0; a <= stream.size(); ++a) {
    for (std::size_t b = a; b <= stream.size(); ++b) {
      ASSERT_EQ(run({stream.substr(0, a), stream.substr(a, b - a), stream.substr(b)}),
                mixed_events())
          << a << ' ' << b;
    }
  }
}

// Streaming: messages as "opcode:piece|piece|." and control frames between.
struct Streamed {
  std::string text;
  std::size_t longest = 0;
};

Streamed streamed(MessageParser& parser, const std::vector<std::string>& pieces) {
  Streamed seen;
  std::string message;
  for (const std::string& piece : pieces) {
    std::vector<char> bytes(piece.begin(), piece.end());
    std::span<char> input(bytes);
    for (;;) {
      const auto event = parser.next(input);
      if (event.kind == Kind::need_more) break;
      seen.longest = std::max(seen.longest, event.payload.size());
      if (event.kind == Kind::failed) {
        seen.text += "failed " + std::to_string(static_cast<int>(event.code));
        return seen;
      }
      if (event.kind == Kind::text || event.kind == Kind::binary) {
        EXPECT_TRUE(event.fin || !event.payload.empty());
        message += event.payload;
        if (!event.fin) continue;
        seen.text += (event.kind == Kind::text ? "t:" : "b:") + message + ".";
        message.clear();
      } else {
        seen.text += "[" + std::string(event.payload) + "]";
      }
    }
    EXPECT_TRUE(input.empty());
  }
  if (!message.empty()) seen.text += "unfinished:" + message;
  return seen;
}

Streamed streamed(const std::vector<std::string>& pieces, std::size_t most = 1 << 20) {
  MessageParser parser(Role::server, most);
  parser.set_deflate({});
  parser.set_streaming(true);
  return streamed(parser, pieces);
}

TEST(StreamedMessages, ComeInPiecesAsTheyArrive) {
  MessageParser parser(Role::server);
  parser.set_streaming(true);
  const std::string frame = masked(0x02, "0123456789");
  std::string begin = frame.substr(0, 6 + 4);
  std::span<char> input(begin);
  auto event = parser.next(input);
  EXPECT_EQ(event.kind, Kind::binary);
  EXPECT_EQ(event.payload, "0123");
  EXPECT_EQ(event.payload.data(), begin.data() + 6) << "copied";
  EXPECT_FALSE(event.fin);
  EXPECT_TRUE(parser.is_inside_message());
  EXPECT_EQ(parser.next(input).kind, Kind::need_more);
  std::string rest = frame.substr(6 + 4) + masked(0x89, "p") + masked(0x80, "");
  input = rest;
  event = parser.next(input);
  EXPECT_EQ(event.payload, "456789");
  EXPECT_FALSE(event.fin);
  EXPECT_EQ(parser.next(input).kind, Kind::ping);
  event = parser.next(input);
  EXPECT_EQ(event.kind, Kind::binary);
  EXPECT_TRUE(event.fin);
  EXPECT_EQ(event.payload, "");
  EXPECT_EQ(parser.next(input).kind, Kind::need_more);
  EXPECT_FALSE(parser.is_inside_message());
}

TEST(StreamedMessages, GiveTheSameInAnySplit) {
  const std::string stream = mixed_stream();
  const std::string expected = "t:Hello.[ping]t:Hello.t:plain \xE2\x82\xAC.b:.b:Hello.[]";
  ASSERT_EQ(streamed({stream}).text, expected);
  for (std::size_t a = 0; a <= stream.size(); ++a) {
    for (std::size_t b = a; b <= stream.size(); ++b) {
      ASSERT_EQ(streamed({stream.substr(0, a), stream.substr(a, b - a), stream.substr(b)}).text,
                expected)
          << a << ' ' << b;
    }
  }
}

TEST(StreamedMessages, ComeInPiecesOfLimitedSizeHoweverMuchTheyInflate) {
  const std::string large(1'000'000, 'x');
  const std::string payload = compressed(large);
  const std::string stream = masked(0xC1, payload) + masked(0xC1, hello);
  for (const std::size_t cut : {0U, 3U, 100U, 700U}) {
    const Streamed seen = streamed({stream.substr(0, cut), stream.substr(cut)});
    EXPECT_TRUE(seen.text == "t:" + large + ".t:Hello.");
    EXPECT_EQ(seen.longest, 16U * 1024);
  }
  // What is not taken yet stays in the input, as it was.
  std::string bytes = masked(0xC1, payload);
  const std::string copy = bytes;
  MessageParser parser(Role::server);
  parser.set_deflate({});
  parser.set_streaming(true);
  std::span<char> input(bytes);
  EXPECT_FALSE(parser.next(input).fin);
  ASSERT_FALSE(input.empty());
  EXPECT_EQ(std::string(input.begin(), input.end()), copy.substr(copy.size() - input.size()));
}

TEST(StreamedMessages, AreCheckedAsTheyCome) {  // RFC 6455 §8.1
  EXPECT_EQ(streamed({masked(0x01, "ok") + masked(0x00, "\xFF")}).text, "failed 1007");
  EXPECT_EQ(streamed({masked(0x01, "\xE2\x82") + masked(0x80, "")}).text, "failed 1007");
  EXPECT_EQ(streamed({masked(0x01, "\xE2\x82") + masked(0x80, "\xAC")}).text, "t:\xE2\x82\xAC.");
  EXPECT_EQ(streamed({masked(0xC1, compressed("ok\xFF"))}).text, "failed 1007");
  EXPECT_EQ(streamed({masked(0x41, hello.substr(0, 3)) + masked(0x80, "")}).text, "failed 1007");
}

TEST(StreamedMessages, AreLimitedToo) {
  EXPECT_EQ(streamed({masked(0x02, "12345") + masked(0x80, "67890")}, 10).text, "b:1234567890.");
  EXPECT_EQ(streamed({masked(0x02, "12345") + head(0x80, 6, true)}, 10).text, "failed 1009");
  EXPECT_EQ(streamed({masked(0xC2, compressed(std::string(40'000, 'x')))}, 40'000).text.size(),
            40'003U);
  EXPECT_EQ(streamed({masked(0xC2, compressed(std::string(40'001, 'x')))}, 40'000).text,
            "failed 1009");
}

TEST(StreamedMessages, BeginWithTheNextMessageAfterTheSwitch) {
  MessageParser parser(Role::server);
  std::string bytes = masked(0x02, "wh");
  std::span<char> input(bytes);
  EXPECT_EQ(parser.next(input).kind, Kind::need_more);
  parser.set_streaming(true);
  std::string more = masked(0x80, "ole") + masked(0x02, "pie");
  input = more;
  auto event = parser.next(input);
  EXPECT_EQ(event.payload, "whole");
  EXPECT_TRUE(event.fin);
  event = parser.next(input);
  EXPECT_EQ(event.payload, "pie");
  EXPECT_FALSE(event.fin);
  parser.set_streaming(false);
  std::string last = masked(0x80, "ce") + masked(0x02, "wh") + masked(0x80, "ole");
  input = last;
  event = parser.next(input);
  EXPECT_EQ(event.payload, "ce");
  EXPECT_TRUE(event.fin);
  EXPECT_EQ(parser.next(input).payload, "whole");
}

TEST(MessageParser, ALimitThatIsLoweredHoldsFromTheNextFrameOn) {
  MessageParser parser(Role::server, 1000);
  std::string bytes = masked(0x02, std::string(500, 'x'));
  std::span<char> input(bytes);
  EXPECT_EQ(parser.next(input).kind, Kind::need_more);
  parser.set_max_message_bytes(100);
  std::string more = masked(0x80, "");
  input = more;
  EXPECT_EQ(parser.next(input).code, CloseCode::message_too_big);
}

std::size_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(CompressedMessages, CostNothingBetweenThemWithoutContextTakeover) {
  if (heap_bytes() == 0) GTEST_SKIP() << "the allocator does not count";
  MessageParser parser(Role::server);
  parser.set_deflate(without_takeover());
  const std::string frame = masked(0xC1, compressed(std::string(50'000, 'x')));
  std::size_t before = 0;
  // The first rounds fill the thread's stock and the C library's caches.
  for (int round = 0; round < 4; ++round) {
    std::string bytes = frame;
    std::span<char> input(bytes);
    before = heap_bytes();
    EXPECT_EQ(parser.next(input).payload.size(), 50'000U);
    EXPECT_GT(heap_bytes(), before + 49'999);
    EXPECT_EQ(parser.next(input).kind, Kind::need_more);
    EXPECT_FALSE(parser.is_inside_message());
  }
  EXPECT_EQ(heap_bytes(), before);
}

}  // namespace
}  // namespace squall::websocket
