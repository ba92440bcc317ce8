// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/web/signed_value.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {
namespace {

constexpr std::int64_t present = 1300000000;
constexpr std::int64_t day = 24 * 60 * 60;

// What Tornado makes of these.
constexpr std::string_view version_2 =
    "2|1:0|10:1300000000|1:k|4:dg==|"
    "38384b38ea5575e7208458f97d2fa18f5dc13d94aea24d0f0fc00f2c1ddb07a7";
constexpr std::string_view version_1 = "dg==|1300000000|a8dce351d02959b5361c9d72a2a2f764d438574c";
constexpr std::string_view key_3 =
    "2|1:3|10:1300000000|1:k|4:dg==|"
    "bb05e5242588b0676359a04f16d17d51a614cacebf4cb43c1ece95c96a163756";

std::optional<std::string> decode(std::string_view value, std::string_view secret = "secret",
                                  std::string_view name = "k") {
  return decode_signed_value(secret, name, value, {.unix_time = present});
}

TEST(SignedValue, IsByteForByteTornados) {
  EXPECT_EQ(create_signed_value("secret", "k", "v", {.unix_time = present}), version_2);
  EXPECT_EQ(create_signed_value("secret", "k", "v", {.version = 1, .unix_time = present}),
            version_1);
  EXPECT_EQ(
      create_signed_value({{0, "a"}, {3, "b"}}, "k", "v", {.key_version = 3, .unix_time = present}),
      key_3);
}

TEST(SignedValue, IsReadBackWhateverItsBytesAre) {
  EXPECT_EQ(decode(version_2), "v");
  EXPECT_EQ(decode(version_1), "v");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const int version : {1, 2}) {
    for (const std::string& value : {std::string(), std::string("|:|"), all}) {
      EXPECT_EQ(decode(create_signed_value("secret", "k", value,
                                           {.version = version, .unix_time = present})),
                value);
    }
  }
}

TEST(SignedValue, OfNowIsValidNow) {
  EXPECT_EQ(decode_signed_value("secret", "k", create_signed_value("secret", "k", "v")), "v");
}

TEST(SignedValue, OfAnotherSecretOrNameIsNothing) {
  for (const std::string_view value : {version_1, version_2}) {
    EXPECT_EQ(decode(value, "other"), std::nullopt);
    EXPECT_EQ(decode(value, "secret", "kk"), std::nullopt);
    EXPECT_EQ(decode(value, "secret", ""), std::nullopt);
  }
}

TEST(SignedValue, IsNothingWithAnyByteChangedLeftOutOrAdded) {
  for (const std::string_view whole : {version_1, version_2}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      SCOPED_TRACE(i);
      std::string changed(whole);
      changed[i] = static_cast<char>(changed[i] ^ 1);
      EXPECT_EQ(decode(changed), std::nullopt);
      EXPECT_EQ(decode(whole.substr(0, i)), std::nullopt);
      EXPECT_EQ(decode(std::string(whole).insert(i, "0")), std::nullopt);
      EXPECT_EQ(decode(std::string(whole).insert(i, "|")), std::nullopt);
    }
    EXPECT_EQ(decode(std::string(whole) + "0"), std::nullopt);
  }
}

TEST(SignedValue, ThatIsMalformedIsNothing) {
  for (const std::string_view value : {"",
                                       "|",
                                       "||",
                                       "2|",
                                       "2||",
                                       "2|1",
                                       "2|1:",
                                       "2|1:0",
                                       "2|1:0|",
                                       "2|:|",
                                       "2|-1:0|",
                                       "2|1:0|1:0|",
                                       "2|99999999999999999999:0|",
                                       "2|1:x|1:0|1:k|0:|",
                                       "3|1:0|",
                                       "1|x|y",
                                       "999|a|b",
                                       "1000|a|b",
                                       "0|a|b",
                                       "a|b|c|d"}) {
    EXPECT_EQ(decode(value), std::nullopt) << value;
    EXPECT_EQ(get_signature_key_version(value), std::nullopt) << value;
  }
  EXPECT_EQ(decode("2|1:0|1:0|1:k|0:|"), std::nullopt);
}

TEST(SignedValue, ExpiresAfterItsDays) {
  const auto at = [](std::string_view value, std::int64_t now, double days) {
    return decode_signed_value("secret", "k", value, {.max_age_days = days, .unix_time = now});
  };
  for (const std::string_view value : {version_1, version_2}) {
    EXPECT_EQ(at(value, present + 31 * day, 31), "v");
    EXPECT_EQ(at(value, present + 31 * day + 1, 31), std::nullopt);
    EXPECT_EQ(at(value, present + day / 2, 0.5), "v");
    EXPECT_EQ(at(value, present + day / 2 + 1, 0.5), std::nullopt);
  }
  EXPECT_EQ(at(version_2, present - 40 * day, 31), "v");  // the name and time are signed apart
}

TEST(SignedValue, OfVersion1MayNotMoveDigitsIntoItsTime) {
  const auto at = [](std::string_view value, std::int64_t now) {
    return decode_signed_value("secret", "k", value, {.unix_time = now});
  };
  EXPECT_EQ(at(version_1, present - 31 * day), "v");
  EXPECT_EQ(at(version_1, present - 31 * day - 1), std::nullopt);
  const std::string digits = create_signed_value("secret", "k", "\xd7\x6d\xf8\xe7\xae\xfc",
                                                 {.version = 1, .unix_time = present});
  ASSERT_EQ(digits.substr(0, 9),
            "1234567"
            "8|")
      << digits;
  EXPECT_NE(at(digits, present), std::nullopt);
  // The signature holds for this too: the last four characters of the value as digits of the time.
  const std::string moved = "1234|5678" + digits.substr(9);
  EXPECT_EQ(at(moved, present), std::nullopt);
}

TEST(SignedValue, BelowTheLeastVersionIsNothing) {
  EXPECT_EQ(decode_signed_value("secret", "k", version_1, {.min_version = 2, .unix_time = present}),
            std::nullopt);
  EXPECT_EQ(decode_signed_value("secret", "k", version_2, {.min_version = 2, .unix_time = present}),
            "v");
  EXPECT_THROW(static_cast<void>(decode_signed_value("secret", "k", version_2, {.min_version = 3})),
               UsageError);
}

TEST(SignedValue, KeysAreRotatedByTheirVersions) {
  EXPECT_EQ(decode_signed_value({{0, "a"}, {3, "b"}}, "k", key_3, {.unix_time = present}), "v");
  EXPECT_EQ(get_signature_key_version(key_3), 3);
  EXPECT_EQ(get_signature_key_version(version_2), 0);
  EXPECT_EQ(get_signature_key_version(version_1), std::nullopt);
  // Another key under the version, none, and the key under another version.
  EXPECT_EQ(decode_signed_value({{3, "a"}}, "k", key_3, {.unix_time = present}), std::nullopt);
  EXPECT_EQ(decode_signed_value({{0, "b"}}, "k", key_3, {.unix_time = present}), std::nullopt);
  const std::vector<CookieSecret> none;
  EXPECT_EQ(decode_signed_value(none, "k", key_3, {.unix_time = present}), std::nullopt);
  // What one secret has signed is of version 0.
  EXPECT_EQ(decode_signed_value({{0, "secret"}}, "k", version_2, {.unix_time = present}), "v");
  EXPECT_EQ(decode_signed_value({{0, "secret"}}, "k", version_1, {.unix_time = present}),
            std::nullopt);
}

TEST(SignedValue, IsNotMadeOfWhatCannotWork) {
  const auto make = [](SigningSecret secret, const SignOptions& options) {
    static_cast<void>(create_signed_value(secret, "k", "v", options));
  };
  EXPECT_THROW(make("", {}), UsageError);
  EXPECT_THROW(make("secret", {.version = 3}), UsageError);
  EXPECT_THROW(make("secret", {.version = 0}), UsageError);
  const std::vector<CookieSecret> keys{{1, "a"}};
  EXPECT_THROW(make(keys, {}), UsageError);
  EXPECT_THROW(make(keys, {.key_version = 2}), UsageError);
  EXPECT_THROW(make(keys, {.version = 1, .key_version = 1}), UsageError);
  EXPECT_NO_THROW(make(keys, {.key_version = 1}));
  EXPECT_THROW(static_cast<void>(decode_signed_value("", "k", version_2)), UsageError);
}

TEST(SignedValue, HasALengthThatIsBounded) {
  // 2|1:0|10:1300000000|1:k|N:...|64 digits
  const std::string value(limits::signed_value_bytes / 4 * 3 - 96, 'x');
  const std::string made = create_signed_value("secret", "k", value, {.unix_time = present});
  EXPECT_LE(made.size(), limits::signed_value_bytes);
  EXPECT_EQ(decode(made), value);
  EXPECT_THROW(
      static_cast<void>(create_signed_value("secret", "k", std::string(value.size() + 96, 'x'))),
      UsageError);
  EXPECT_EQ(decode(std::string(limits::signed_value_bytes + 1, '2')), std::nullopt);
}

}  // namespace
}  // namespace squall::web
