// SPDX-License-Identifier: Apache-2.0
#include "websocket/frame.hpp"

#include "websocket/test_frames.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace squall::websocket {
namespace {

constexpr std::uint64_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 1ULL << 32, (1ULL << 63) - 1};

TEST(FrameHead, HasTheShortestLengthForm) {  // RFC 6455 §5.2
  for (const std::uint64_t size : sizes) {
    std::array<char, max_frame_head_bytes> out;
    const std::size_t taken = encode_frame_head(out.data(), Opcode::binary, true, size);
    EXPECT_EQ(std::string(out.data(), taken), testing::head(0x82, size, false)) << size;
  }
}

TEST(FrameHead, CarriesTheKeyWhenMasked) {  // RFC 6455 §5.3
  for (const std::uint64_t size : sizes) {
    std::array<char, max_frame_head_bytes> out;
    const std::size_t taken =
        encode_masked_frame_head(out.data(), Opcode::text, false, size, testing::test_key);
    EXPECT_EQ(std::string(out.data(), taken), testing::head(0x01, size, true)) << size;
  }
}

TEST(FrameHead, GivesTheExamplesOfTheStandard) {  // RFC 6455 §5.7
  std::array<char, max_frame_head_bytes> out;
  std::size_t size = encode_frame_head(out.data(), Opcode::text, true, 5);
  EXPECT_EQ(std::string(out.data(), size), "\x81\x05");
  size = encode_frame_head(out.data(), Opcode::continuation, true, 2);
  EXPECT_EQ(std::string(out.data(), size), std::string("\x80\x02"));
  size = encode_frame_head(out.data(), Opcode::binary, true, 256);
  EXPECT_EQ(std::string(out.data(), size), std::string("\x82\x7E\x01\x00", 4));
  std::string payload = "\x7f\x9f\x4d\x51\x58";
  apply_mask(payload, testing::test_key);
  EXPECT_EQ(payload, "Hello");
}

TEST(Mask, AgreesWithTheNaiveLoopAtEveryAlignmentLengthAndOffset) {  // RFC 6455 §5.3
  std::string source;
  for (unsigned i = 0; i < 200; ++i) source.push_back(static_cast<char>(i * 37 + 11));
  for (std::size_t at = 0; at < 17; ++at) {
    for (std::size_t size = 0; size <= 150; ++size) {
      for (std::size_t offset = 0; offset < 5; ++offset) {
        std::string bytes = source;
        apply_mask(std::span(bytes).subspan(at, size), testing::test_key, offset);
        const std::string expected =
            source.substr(0, at) +
            testing::naively_masked(source.substr(at, size), testing::test_key, offset) +
            source.substr(at + size);
        ASSERT_EQ(bytes, expected) << at << ' ' << size << ' ' << offset;
      }
    }
  }
}

TEST(Mask, TellsWhetherWhatWasMaskedIsAscii) {
  for (std::size_t size = 0; size <= 150; ++size) {
    const std::string ascii(size, '\x7f');
    std::string bytes = testing::naively_masked(ascii, testing::test_key);
    EXPECT_TRUE(unmask_ascii(bytes, testing::test_key));
    EXPECT_EQ(bytes, ascii);
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = ascii;
      other[at] = '\x80';
      bytes = testing::naively_masked(other, testing::test_key);
      ASSERT_FALSE(unmask_ascii(bytes, testing::test_key)) << size << ' ' << at;
      ASSERT_EQ(bytes, other);
    }
  }
}

TEST(Mask, TakesOffsetsPastFourGigabytes) {
  std::string bytes = "abcdefgh";
  apply_mask(bytes, testing::test_key, (1ULL << 40) + 3);
  EXPECT_EQ(bytes, testing::naively_masked("abcdefgh", testing::test_key, 3));
}

TEST(CloseCode, MayBeSentOnlyWhenTheRegistrySaysSo) {  // RFC 6455 §7.4.1, §7.4.2
  for (unsigned code = 0; code <= std::numeric_limits<std::uint16_t>::max(); ++code) {
    const bool defined =
        code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
    const bool free = code >= 3000 && code <= 4999;
    EXPECT_EQ(may_be_sent(static_cast<std::uint16_t>(code)), defined || free) << code;
  }
}

}  // namespace
}  // namespace squall::websocket
