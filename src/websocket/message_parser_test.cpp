// SPDX-License-Identifier: Apache-2.0
#include "websocket/message_parser.hpp"

#include "websocket/test_frames.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace squall::websocket {
namespace {

using namespace std::string_literals;
using testing::big_endian;
using testing::failure;
using testing::head;
using testing::masked;
using testing::run_server;
using testing::Seen;
using testing::unmasked;
using Kind = MessageParser::Kind;
using Events = std::vector<Seen>;

TEST(MessageParser, StaysSmall) { EXPECT_LE(sizeof(MessageParser), 16U); }

TEST(MessageParser, GivesTheExamplesOfTheStandard) {  // RFC 6455 §5.7
  EXPECT_EQ(run_server({"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s}),
            (Events{{Kind::text, CloseCode::none, "Hello"}}));
  MessageParser client(MessageParser::Role::client);
  EXPECT_EQ(
      testing::run(client, {"\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f\x89\x05\x48\x65\x6c\x6c\x6f"s}),
      (Events{{Kind::text, CloseCode::none, "Hello"}, {Kind::ping, CloseCode::none, "Hello"}}));
}

TEST(MessageParser, ReadsEveryFormOfTheLength) {  // RFC 6455 §5.2
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 100000U}) {
    const std::string payload(size, 'x');
    EXPECT_EQ(run_server({masked(0x82, payload)}),
              (Events{{Kind::binary, CloseCode::none, payload}}));
    EXPECT_EQ(run_server({masked(0x81, payload)}),
              (Events{{Kind::text, CloseCode::none, payload}}));
  }
}

TEST(MessageParser, HandsOutAWholeFrameWhereItLies) {
  std::string bytes = masked(0x81, "in place") + masked(0x82, "also");
  std::span<char> input(bytes);
  MessageParser parser(MessageParser::Role::server);
  const auto first = parser.next(input);
  EXPECT_EQ(first.payload, "in place");
  EXPECT_EQ(first.payload.data(), bytes.data() + 6);
  const auto second = parser.next(input);
  EXPECT_EQ(second.payload.data() + second.payload.size(), bytes.data() + bytes.size());
  EXPECT_EQ(parser.next(input).kind, Kind::need_more);
  EXPECT_TRUE(input.empty());
}

TEST(MessageParser, JoinsFragmentsAndDeliversControlFramesInTheirPlace) {  // RFC 6455 §5.4
  EXPECT_EQ(run_server({masked(0x01, "one ") + masked(0x89, "are you there") +
                        masked(0x00, "two ") + masked(0x8A, "yes") + masked(0x00, "") +
                        masked(0x80, "three") + masked(0x82, "next")}),
            (Events{{Kind::ping, CloseCode::none, "are you there"},
                    {Kind::pong, CloseCode::none, "yes"},
                    {Kind::text, CloseCode::none, "one two three"},
                    {Kind::binary, CloseCode::none, "next"}}));
}

TEST(MessageParser, TakesEmptyMessagesAndFragments) {  // RFC 6455 §5.4, §5.6
  EXPECT_EQ(run_server({masked(0x81, "") + masked(0x02, "") + masked(0x00, "") + masked(0x80, "") +
                        masked(0x89, "")}),
            (Events{{Kind::text, CloseCode::none, ""},
                    {Kind::binary, CloseCode::none, ""},
                    {Kind::ping, CloseCode::none, ""}}));
}

TEST(MessageParser, RefusesReservedBits) {  // RFC 6455 §5.2
  for (const unsigned bits : {0x10U, 0x20U, 0x40U, 0x70U}) {
    EXPECT_EQ(run_server({masked(0x81 | bits, "x")}), failure(CloseCode::protocol_error));
    EXPECT_EQ(run_server({masked(0x89 | bits, "x")}), failure(CloseCode::protocol_error));
  }
}

TEST(MessageParser, RefusesUnknownOpcodes) {  // RFC 6455 §5.2
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
    EXPECT_EQ(run_server({masked(0x80 | opcode, "")}), failure(CloseCode::protocol_error));
  }
}

TEST(MessageParser, RefusesFragmentedControlFrames) {  // RFC 6455 §5.4
  for (const unsigned opcode : {8U, 9U, 10U}) {
    EXPECT_EQ(run_server({masked(opcode, "")}), failure(CloseCode::protocol_error));
  }
}

TEST(MessageParser, TakesControlFramesOfAtMost125Bytes) {  // RFC 6455 §5.5
  const std::string fits(125, 'x');
  EXPECT_EQ(run_server({masked(0x89, fits)}), (Events{{Kind::ping, CloseCode::none, fits}}));
  for (const unsigned first : {0x88U, 0x89U, 0x8AU}) {
    EXPECT_EQ(run_server({masked(first, fits + "x")}), failure(CloseCode::protocol_error));
    EXPECT_EQ(run_server({head(first, 70000, true)}), failure(CloseCode::protocol_error));
  }
}

TEST(MessageParser, RefusesAContinuationOfNothing) {  // RFC 6455 §5.4
  EXPECT_EQ(run_server({masked(0x80, "x")}), failure(CloseCode::protocol_error));
  EXPECT_EQ(run_server({masked(0x00, "x")}), failure(CloseCode::protocol_error));
  EXPECT_EQ(
      run_server({masked(0x01, "x") + masked(0x80, "y") + masked(0x80, "z")}),
      (Events{{Kind::text, CloseCode::none, "xy"}, {Kind::failed, CloseCode::protocol_error}}));
}

TEST(MessageParser, RefusesANewMessageInsideAFragmentedOne) {  // RFC 6455 §5.4
  for (const unsigned first : {0x01U, 0x02U, 0x81U, 0x82U}) {
    EXPECT_EQ(run_server({masked(0x01, "x") + masked(first, "y")}),
              failure(CloseCode::protocol_error));
  }
}

TEST(MessageParser, RefusesUnmaskedFramesFromAClient) {  // RFC 6455 §5.1
  for (const unsigned first : {0x81U, 0x82U, 0x88U, 0x89U}) {
    EXPECT_EQ(run_server({unmasked(first, "")}), failure(CloseCode::protocol_error));
  }
}

TEST(MessageParser, RefusesMaskedFramesFromAServer) {  // RFC 6455 §5.1
  for (const unsigned first : {0x81U, 0x82U, 0x88U, 0x89U}) {
    MessageParser parser(MessageParser::Role::client);
    EXPECT_EQ(testing::run(parser, {masked(first, "")}), failure(CloseCode::protocol_error));
  }
}

TEST(MessageParser, RefusesALengthWithTheTopBitSet) {  // RFC 6455 §5.2
  MessageParser parser(MessageParser::Role::server, SIZE_MAX);
  EXPECT_EQ(testing::run(parser, {"\x82\xFF"s + big_endian(1ULL << 63, 8)}),
            failure(CloseCode::protocol_error));
  EXPECT_EQ(run_server({"\x82\xFF"s + big_endian(UINT64_MAX, 8)}),
            failure(CloseCode::protocol_error));
}

TEST(MessageParser, RefusesLengthsThatAreNotInTheirShortestForm) {  // RFC 6455 §5.2
  for (const std::uint64_t size : {0U, 1U, 125U}) {
    EXPECT_EQ(run_server({"\x82\xFE"s + big_endian(size, 2)}), failure(CloseCode::protocol_error));
  }
  for (const std::uint64_t size : {0U, 125U, 126U, 65535U}) {
    EXPECT_EQ(run_server({"\x82\xFF"s + big_endian(size, 8)}), failure(CloseCode::protocol_error));
  }
}

TEST(MessageParser, TakesMessagesOfExactlyTheLimit) {
  const std::string fits(1000, 'x');
  EXPECT_EQ(run_server({masked(0x82, fits)}, 1000),
            (Events{{Kind::binary, CloseCode::none, fits}}));
  EXPECT_EQ(run_server({masked(0x02, fits.substr(1)) + masked(0x80, "x")}, 1000),
            (Events{{Kind::binary, CloseCode::none, fits}}));
  // The limit is one message's, not the connection's.
  EXPECT_EQ(run_server({masked(0x82, fits) + masked(0x02, fits) + masked(0x80, "")}, 1000).size(),
            2U);
  // Control frames have a limit of their own.
  EXPECT_EQ(run_server({masked(0x82, "") + masked(0x89, "x")}, 0),
            (Events{{Kind::binary}, {Kind::ping, CloseCode::none, "x"}}));
}

TEST(MessageParser, RefusesAMessagePastTheLimitByItsHead) {  // RFC 6455 §7.4.1, 1009
  // Without the masking key, which comes after the length.
  EXPECT_EQ(run_server({head(0x82, 1001, true).substr(0, 4)}, 1000),
            failure(CloseCode::message_too_big));
  EXPECT_EQ(run_server({head(0x82, INT64_MAX, true)}, 1000), failure(CloseCode::message_too_big));
  EXPECT_EQ(run_server({masked(0x82, "x")}, 0), failure(CloseCode::message_too_big));
}

TEST(MessageParser, SumsTheFragmentsForTheLimit) {  // RFC 6455 §7.4.1, 1009
  EXPECT_EQ(run_server({masked(0x02, std::string(999, 'x')) + head(0x80, 2, true)}, 1000),
            failure(CloseCode::message_too_big));
  MessageParser unlimited(MessageParser::Role::server, SIZE_MAX);
  EXPECT_EQ(testing::run(unlimited, {masked(0x02, "xx") + head(0x00, INT64_MAX, true)}).size(), 0U);
}

TEST(MessageParser, RefusesTextThatIsNotUtf8) {  // RFC 6455 §8.1
  EXPECT_EQ(run_server({masked(0x81, "a\xFF")}), failure(CloseCode::invalid_payload));
  EXPECT_EQ(run_server({masked(0x81, "a\xE2\x82")}), failure(CloseCode::invalid_payload));
  EXPECT_EQ(run_server({masked(0x01, "a\xE2\x82") + masked(0x80, "")}),
            failure(CloseCode::invalid_payload));
  EXPECT_EQ(run_server({masked(0x82, "a\xFF")}),
            (Events{{Kind::binary, CloseCode::none, "a\xFF"}}));
}

TEST(MessageParser, TakesCharactersCutByFragments) {  // RFC 6455 §8.1
  EXPECT_EQ(run_server({masked(0x01, "\xE2") + masked(0x00, "\x82") + masked(0x80, "\xAC")}),
            (Events{{Kind::text, CloseCode::none, "\xE2\x82\xAC"}}));
}

TEST(MessageParser, FailsAtTheFirstBadByteOfUnfinishedText) {  // RFC 6455 §8.1; Autobahn 6.4
  // In an unfinished frame, in an unfinished message, and in the middle of a character.
  EXPECT_EQ(run_server({masked(0x81, "ab\xFFzzzzz").substr(0, 9)}),
            failure(CloseCode::invalid_payload));
  EXPECT_EQ(run_server({masked(0x01, "ab\xFF")}), failure(CloseCode::invalid_payload));
  EXPECT_EQ(run_server({masked(0x01, "\xF4") + masked(0x00, "\x90")}),
            failure(CloseCode::invalid_payload));
  EXPECT_TRUE(run_server({masked(0x01, "\xF4") + masked(0x00, "\x8F")}).empty());
}

TEST(MessageParser, ReadsTheCloseCodeAndReason) {  // RFC 6455 §5.5.1
  EXPECT_EQ(run_server({masked(0x88, "")}), (Events{{Kind::close, CloseCode::no_status, ""}}));
  EXPECT_EQ(run_server({masked(0x88, "\x03\xE8")}), (Events{{Kind::close, CloseCode::normal, ""}}));
  EXPECT_EQ(run_server({masked(0x88, "\x0F\xA1gr\xC3\xBC\xC3\x9F")}),
            (Events{{Kind::close, CloseCode{4001}, "gr\xC3\xBC\xC3\x9F"}}));
  const std::string longest(123, 'x');
  EXPECT_EQ(run_server({masked(0x88, "\x03\xE9" + longest)}),
            (Events{{Kind::close, CloseCode::going_away, longest}}));
}

TEST(MessageParser, RefusesBadCloseFrames) {  // RFC 6455 §5.5.1, §7.4
  EXPECT_EQ(run_server({masked(0x88, "\x03")}), failure(CloseCode::protocol_error));
  for (const unsigned code :
       {0U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 1100U, 2000U, 2999U, 5000U, 65535U}) {
    EXPECT_EQ(run_server({masked(0x88, big_endian(code, 2))}), failure(CloseCode::protocol_error))
        << code;
  }
  EXPECT_EQ(run_server({masked(0x88, "\x03\xE8\xCE\xBA\xED\xA0\x80")}),
            failure(CloseCode::invalid_payload));
  EXPECT_EQ(run_server({masked(0x88, "\x03\xE8\xC3")}), failure(CloseCode::invalid_payload));
}

TEST(MessageParser, DropsWhatFollowsTheCloseFrame) {  // RFC 6455 §5.5.1
  EXPECT_EQ(run_server({masked(0x88, "") + masked(0x81, "late") + "\xFF\xFF", "more"}),
            (Events{{Kind::close, CloseCode::no_status, ""}}));
}

TEST(MessageParser, StaysFailedAndTakesNoMoreInput) {  // RFC 6455 §7.1.7
  std::string bytes = masked(0x81, "\xFF") + masked(0x81, "late");
  std::span<char> input(bytes);
  MessageParser parser(MessageParser::Role::server);
  EXPECT_EQ(parser.next(input).kind, Kind::failed);
  const std::size_t left = input.size();
  for (int i = 0; i < 3; ++i) {
    const auto again = parser.next(input);
    EXPECT_EQ(again.kind, Kind::failed);
    EXPECT_EQ(again.code, CloseCode::invalid_payload);
    EXPECT_FALSE(again.payload.empty());
    EXPECT_EQ(input.size(), left);
  }
}

TEST(MessageParser, NeedsNothingForEmptyInput) {
  EXPECT_TRUE(run_server({"", "", ""}).empty());
  EXPECT_EQ(run_server({"", masked(0x81, "x").substr(0, 3), "", masked(0x81, "x").substr(3), ""}),
            (Events{{Kind::text, CloseCode::none, "x"}}));
}

}  // namespace
}  // namespace squall::websocket
