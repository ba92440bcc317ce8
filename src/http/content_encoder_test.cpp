// SPDX-License-Identifier: Apache-2.0
#include "http/content_encoder.hpp"

#include "http/content_coding_testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace squall::http {
namespace {

class EncoderOfAnyCoding : public testing::TestWithParam<ContentCoding> {};
INSTANTIATE_TEST_SUITE_P(ContentEncoder, EncoderOfAnyCoding, testing::ValuesIn(real_codings),
                         [](const auto& row) { return std::string(to_string(row.param)); });

TEST_P(EncoderOfAnyCoding, ComesBackWhereverItIsCut) {
  const std::string text = some_text(300);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    ContentEncoder encoder(GetParam());
    std::string coded;
    encoder.write(text.substr(0, cut), coded);
    encoder.write(text.substr(cut), coded);
    encoder.finish(coded);
    ASSERT_EQ(decoded(GetParam(), coded), text) << cut;
  }
}

TEST_P(EncoderOfAnyCoding, CodesLargeContentWell) {
  const std::string text = some_text(3'000'000);
  const std::string coded = encoded(GetParam(), text);
  EXPECT_LT(coded.size(), text.size() / 3);
  EXPECT_TRUE(decoded(GetParam(), coded) == text);
}

TEST_P(EncoderOfAnyCoding, CodesNothingAtAll) {
  const std::string coded = encoded(GetParam(), "");
  EXPECT_FALSE(coded.empty());
  EXPECT_EQ(decoded(GetParam(), coded), "");
}

TEST_P(EncoderOfAnyCoding, FlushedBytesCanBeDecodedAtOnce) {
  ContentEncoder encoder(GetParam());
  Result<ContentDecoder> decoder = ContentDecoder::create(to_string(GetParam()));
  ASSERT_TRUE(decoder);
  for (int i = 0; i < 50; ++i) {
    const std::string event = "data: " + std::to_string(i) + "\n\n";
    std::string coded;
    encoder.write(event, coded);
    encoder.flush(coded);
    ASSERT_EQ(decode_piece(*decoder, coded), event);
    EXPECT_LT(coded.size(), 64U);
  }
  std::string end;
  encoder.finish(end);
  EXPECT_EQ(decode_piece(*decoder, end), "");
  EXPECT_TRUE(decoder->finish());
}

TEST_P(EncoderOfAnyCoding, StatesAreUsedAgainAndForgetWhatWasBefore) {
  const std::string text = some_text(5000);
  const std::string first = encoded(GetParam(), text);
  {
    ContentEncoder broken_off(GetParam());
    std::string coded;
    broken_off.write(some_text(100'000), coded);
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(encoded(GetParam(), text), first);
  EXPECT_EQ(content_encoders_in_use(), 0U);
}

TEST_P(EncoderOfAnyCoding, ManyCanBeInUse) {
  std::vector<ContentEncoder> encoders;
  std::vector<std::string> coded(10);
  for (int i = 0; i < 10; ++i) encoders.emplace_back(GetParam());
  EXPECT_EQ(content_encoders_in_use(), 10U);
  for (std::size_t i = 0; i < 10; ++i) encoders[i].write(some_text(1000 + i), coded[i]);
  for (std::size_t i = 0; i < 10; ++i) encoders[i].finish(coded[i]);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(decoded(GetParam(), coded[i]), some_text(1000 + i));
  }
  EXPECT_EQ(content_encoders_in_use(), 0U);
}

TEST_P(EncoderOfAnyCoding, LevelsAreBroughtWithin) {
  const std::string text = some_text(20'000);
  for (const int level : {-100, 0, 1, 5, 9, 11, 1000}) {
    const std::string coded = encoded(GetParam(), text, level);
    EXPECT_LT(coded.size(), text.size());
    EXPECT_EQ(decoded(GetParam(), coded), text) << level;
  }
  EXPECT_LE(encoded(GetParam(), text, 9).size(), encoded(GetParam(), text, 1).size());
}

TEST_P(EncoderOfAnyCoding, ASizeThatIsKnownIsKept) {
  for (const std::size_t size : {0U, 1U, 1000U, 600'000U}) {
    const std::string text = some_text(size);
    ContentEncoder encoder(GetParam(), ContentEncoder::default_level, size);
    std::string coded;
    encoder.write(text, coded);
    encoder.finish(coded);
    EXPECT_EQ(decoded(GetParam(), coded), text) << size;
  }
}

TEST(ContentEncoder, OfIdentityIsEmpty) {
  EXPECT_FALSE(ContentEncoder(ContentCoding::identity));
  ContentEncoder first(ContentCoding::gzip);
  const ContentEncoder second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT: that is the point
  EXPECT_TRUE(second);
}

}  // namespace
}  // namespace squall::http
