// SPDX-License-Identifier: Apache-2.0
#include <squall/http/status.hpp>

#include <gtest/gtest.h>

namespace squall::http {
namespace {

TEST(ReasonPhrase, NamesRegisteredCodes) {  // RFC 9110 §15
  EXPECT_EQ(reason_phrase(100), "Continue");
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(304), "Not Modified");
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(413), "Content Too Large");
  EXPECT_EQ(reason_phrase(422), "Unprocessable Content");
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(505), "HTTP Version Not Supported");
  EXPECT_EQ(reason_phrase(511), "Network Authentication Required");
}

TEST(ReasonPhrase, IsUnknownForOtherNumbers) {
  for (const unsigned status : {0u, 99u, 199u, 299u, 306u, 418u, 499u, 509u, 599u, 1000u}) {
    EXPECT_EQ(reason_phrase(status), "Unknown") << status;
  }
}

TEST(Bodiless, HoldsForInformationNoContentAndNotModified) {  // RFC 9112 §6.3
  for (const unsigned status : {100u, 101u, 103u, 199u, 204u, 304u}) EXPECT_TRUE(bodiless(status));
  for (const unsigned status : {0u, 99u, 200u, 201u, 205u, 206u, 303u, 404u, 500u}) {
    EXPECT_FALSE(bodiless(status)) << status;
  }
}

}  // namespace
}  // namespace squall::http
