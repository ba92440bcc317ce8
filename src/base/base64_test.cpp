// SPDX-License-Identifier: Apache-2.0
#include "base/base64.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace squall {
namespace {

using namespace std::string_view_literals;

TEST(Base64, EncodesAndDecodesTheVectorsOfTheStandard) {  // RFC 4648 §10
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
}

TEST(Base64, HasAVariantForUrlsWithAndWithoutPadding) {  // RFC 4648 §5
  constexpr auto bytes = "\xFB\xFF\xFE\xFB"sv;
  EXPECT_EQ(encode_base64(bytes), "+//++w==");
  EXPECT_EQ(encode_base64(bytes, Base64::url), "-__--w==");
  EXPECT_EQ(encode_base64(bytes, Base64::url_unpadded), "-__--w");
  EXPECT_EQ(decode_base64("-__--w==", Base64::url), bytes);
  EXPECT_EQ(decode_base64("-__--w", Base64::url_unpadded), bytes);
  EXPECT_EQ(decode_base64("-__--w", Base64::url), std::nullopt);
  EXPECT_EQ(decode_base64("-__--w==", Base64::url_unpadded), std::nullopt);
  EXPECT_EQ(decode_base64("-__--w=="), std::nullopt);
  EXPECT_EQ(decode_base64("+//++w==", Base64::url), std::nullopt);
}

TEST(Base64, RefusesWhatItWouldNotHaveWritten) {  // RFC 4648 §3.3, §3.5
  for (const std::string_view text :
       {"Z"sv,        "Zg"sv,       "Zg="sv,      "Zg==="sv, "Z==="sv, "===="sv, "="sv,
        "Zm9v===="sv, "Zm9vY==="sv, "Zg==Zg=="sv, "Z=g="sv,  "=Zg="sv, "Zm 9"sv, "Zm9v\n"sv,
        "Zm9v    "sv, "Zm9\0"sv,    "Zm9\xFF"sv,  "Zh=="sv,  "Zm9="sv, "Zm8-"sv}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
  EXPECT_EQ(decode_base64("A", Base64::url_unpadded), std::nullopt);
  EXPECT_EQ(decode_base64("AAAAA", Base64::url_unpadded), std::nullopt);
}

TEST(Base64, EveryByteAndLengthComesBack) {
  std::string bytes;
  for (unsigned i = 0; i < 300; ++i) {
    for (const Base64 variant : {Base64::standard, Base64::url, Base64::url_unpadded}) {
      const std::string text = encode_base64(bytes, variant);
      EXPECT_LE(text.size(), base64_padded_bytes(bytes.size()));
      ASSERT_EQ(decode_base64(text, variant), bytes);
    }
    bytes.push_back(static_cast<char>(i * 7));
  }
}

}  // namespace
}  // namespace squall
