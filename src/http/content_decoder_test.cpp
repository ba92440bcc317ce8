// SPDX-License-Identifier: Apache-2.0
#include "http/content_decoder.hpp"

#include "http/content_coding_testing.hpp"
#include "http/head_parser_testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace squall::http {
namespace {

using namespace std::string_view_literals;

std::string text_of(DecodeError error) { return "error: " + make_error_code(error).message(); }

std::string decode(std::string_view codings, std::string_view coded,
                   const DecoderLimits& limits = {}) {
  return decode_in_pieces(codings, coded, coded.size(), 1, limits);
}

class DecoderOfAnyCoding : public testing::TestWithParam<ContentCoding> {
 protected:
  [[nodiscard]] std::string_view name() const { return to_string(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(ContentDecoder, DecoderOfAnyCoding, testing::ValuesIn(real_codings),
                         [](const auto& row) { return std::string(to_string(row.param)); });

TEST_P(DecoderOfAnyCoding, ContentComesBackCutAtEveryByte) {
  const std::string text = some_text(700);
  const std::string coded = encoded(GetParam(), text);
  for (std::size_t cut = 0; cut <= coded.size(); ++cut) {
    ASSERT_EQ(decode_in_pieces(name(), coded, cut, coded.size()), text) << cut;
  }
  EXPECT_EQ(decode_in_pieces(name(), coded, 1, 1), text);
}

TEST_P(DecoderOfAnyCoding, ContentThatEndsEarlyIsRefusedWhereverItEnds) {
  const std::string coded = encoded(GetParam(), some_text(400));
  for (std::size_t size = 1; size < coded.size(); ++size) {
    ASSERT_EQ(decode(name(), coded.substr(0, size)), text_of(DecodeError::truncated)) << size;
  }
  EXPECT_EQ(decode(name(), ""), "");  // no body at all
}

TEST_P(DecoderOfAnyCoding, BytesBehindTheEndAreRefused) {
  const std::string coded = encoded(GetParam(), "text") + "GET / HTTP/1.1";
  EXPECT_EQ(decode(name(), coded), text_of(DecodeError::bad_data));
  EXPECT_EQ(decode_in_pieces(name(), coded, 1, 1), text_of(DecodeError::bad_data));
}

TEST_P(DecoderOfAnyCoding, NoiseIsRefused) {
  for (const std::string_view noise : {"hello world, this is no coded text"sv, "\xff\xff\xff\xff"sv,
                                       "\x1f\x8b\x09\0\0\0\0\0\0\0"sv}) {
    EXPECT_TRUE(decode(name(), noise).starts_with("error: ")) << noise;
  }
}

TEST_P(DecoderOfAnyCoding, EveryByteMayBeChangedWithoutHarm) {
  const std::string coded = encoded(GetParam(), some_text(200));
  for (std::size_t at = 0; at < coded.size(); ++at) {
    std::string changed = coded;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    EXPECT_LT(decode(name(), changed).size(), 20U << 20);
  }
}

TEST_P(DecoderOfAnyCoding, TheLimitOnDecodedBytesIsExact) {
  const std::string text = some_text(50'000);
  const std::string coded = encoded(GetParam(), text);
  EXPECT_EQ(decode(name(), coded, {.max_bytes = text.size()}), text);
  EXPECT_EQ(decode(name(), coded, {.max_bytes = text.size() - 1}), text_of(DecodeError::too_large));
}

TEST_P(DecoderOfAnyCoding, ABombIsStoppedEarly) {
  const std::string coded = encoded(GetParam(), std::string(64U << 20, '\0'));
  Result<ContentDecoder> decoder = ContentDecoder::create(name(), {.max_bytes = 1U << 30});
  ASSERT_TRUE(decoder);
  std::size_t made = 0;
  std::string_view rest = coded;
  for (;;) {
    const auto step = decoder->next(rest);
    if (!step) {
      EXPECT_EQ(step.error(), make_error_code(DecodeError::ratio_too_high));
      break;
    }
    ASSERT_FALSE(step->data.empty()) << "it was let through";
    made += step->data.size();
    rest.remove_prefix(step->consumed);
  }
  // zlib reads no further than it must: a bomb of gzip shows itself late, after 250 times what
  // came.
  EXPECT_LT(made, 40U << 20);
}

TEST_P(DecoderOfAnyCoding, ContentOfNothingButRepetitionsPassesWhenItIsSmall) {
  const std::string text(limits::decoded_free_bytes, 'a');
  EXPECT_TRUE(decode(name(), encoded(GetParam(), text)) == text);
}

TEST(ContentDecoder, GzipMayHaveSeveralMembers) {  // RFC 1952 §2.2
  const std::string coded = encoded(ContentCoding::gzip, "one ") +
                            encoded(ContentCoding::gzip, "") + encoded(ContentCoding::gzip, "two");
  EXPECT_EQ(decode("gzip", coded), "one two");
  for (std::size_t cut = 0; cut <= coded.size(); ++cut) {
    ASSERT_EQ(decode_in_pieces("x-gzip", coded, cut, coded.size()), "one two") << cut;
  }
  EXPECT_EQ(decode("gzip", coded.substr(0, coded.size() - 3)), text_of(DecodeError::truncated));
}

TEST(ContentDecoder, ZstdMayHaveSeveralFramesAndSkippableOnes) {  // RFC 8878 §3.1
  const std::string coded = encoded(ContentCoding::zstd, "one ") +
                            std::string("\x50\x2a\x4d\x18\x03\0\0\0abc", 11) +
                            encoded(ContentCoding::zstd, "two");
  EXPECT_EQ(decode("zstd", coded), "one two");
  EXPECT_EQ(decode_in_pieces("zstd", coded, 1, 1), "one two");
}

TEST(ContentDecoder, RefusesZstdWindowsPastEightMebibytes) {  // RFC 9659 §3
  // Magic, a descriptor without content size, a window of 2^27.
  EXPECT_EQ(decode("zstd", "\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00"sv),
            text_of(DecodeError::window_too_large));
  // The same with 2^23.
  EXPECT_EQ(decode("zstd", "\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00"sv), "");
}

TEST(ContentDecoder, UndoesSeveralCodingsInTurn) {  // RFC 9110 §8.4
  const std::string text = some_text(100'000);
  for (const ContentCoding first : real_codings) {
    for (const ContentCoding second : real_codings) {
      const std::string list =
          std::string(to_string(first)) + " , identity," + std::string(to_string(second));
      const std::string coded = encoded(second, encoded(first, text));
      EXPECT_EQ(decode(list, coded), text) << list;
      EXPECT_EQ(decode_in_pieces(list, coded, 1, 1), text) << list;
      EXPECT_EQ(decode(list, coded.substr(0, coded.size() - 1)), text_of(DecodeError::truncated));
    }
  }
}

TEST(ContentDecoder, AnInnerLayerIsHeldToTheLimitsToo) {
  // Ten thousand empty members: nothing comes out of them, but the layer before grows.
  std::string members;
  const std::string empty = encoded(ContentCoding::gzip, "");
  while (members.size() < 8U << 20) members += empty;
  const std::string coded = encoded(ContentCoding::zstd, members);
  EXPECT_EQ(decode("gzip, zstd", coded, {.max_bytes = 1U << 20}), text_of(DecodeError::too_large));
  EXPECT_EQ(decode("gzip, zstd", coded), text_of(DecodeError::ratio_too_high));
}

TEST(ContentDecoder, KnowsItsCodings) {
  const auto error = [](std::string_view list) {
    const auto decoder = ContentDecoder::create(list);
    return decoder ? std::string("none") : decoder.error().message();
  };
  const auto unknown = make_error_code(DecodeError::unknown_coding).message();
  const auto many = make_error_code(DecodeError::too_many_codings).message();
  EXPECT_EQ(error("gzip"), "none");
  EXPECT_EQ(error("GZIP,Br"), "none");
  EXPECT_EQ(error(""), "none");
  EXPECT_EQ(error("identity, identity, identity"), "none");
  EXPECT_EQ(error("compress"), unknown);
  EXPECT_EQ(error("gzip;q=1"), unknown);
  EXPECT_EQ(error("gzip gzip"), unknown);
  EXPECT_EQ(error("gzip, gzip, gzip"), many);
}

TEST(ContentDecoder, ReadsTheFieldsOfARequest) {
  const ParsedHead parsed(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Encoding: gzip\r\n\r\n");
  ASSERT_EQ(parsed.status, HeadStatus::done);
  Result<ContentDecoder> decoder = ContentDecoder::create(parsed.head);
  ASSERT_TRUE(decoder);
  const std::string coded = encoded(ContentCoding::gzip, encoded(ContentCoding::br, "text"));
  EXPECT_EQ(decode_piece(*decoder, coded), "text");
}

TEST(ContentDecoder, WithoutACodingHandsThroughAndCounts) {
  Result<ContentDecoder> decoder = ContentDecoder::create("identity", {.max_bytes = 5});
  ASSERT_TRUE(decoder);
  EXPECT_TRUE(decoder->is_identity());
  EXPECT_EQ(decode_piece(*decoder, "12345"), "12345");
  EXPECT_EQ(decode_piece(*decoder, "6"), text_of(DecodeError::too_large));
}

TEST(DecodeErrors, HaveTheStatusOfTheirKind) {
  EXPECT_EQ(status_for(DecodeError::bad_data), 400);
  EXPECT_EQ(status_for(DecodeError::truncated), 400);
  EXPECT_EQ(status_for(DecodeError::too_large), 413);
  EXPECT_EQ(status_for(DecodeError::ratio_too_high), 413);
  EXPECT_EQ(status_for(DecodeError::unknown_coding), 415);
}

}  // namespace
}  // namespace squall::http
