// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.hpp"
#include "http/multipart_testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace squall::http {
namespace {

using Error = MultipartError;

constexpr std::string_view type = "multipart/form-data; boundary=XX";
const std::string part = "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n";

std::string text_of(Error error) { return "error: " + make_error_code(error).message(); }

/// What a body ends with, which must not depend on how it is cut.
std::string outcome(std::string_view body, const MultipartLimits& limits = {}) {
  const auto last = [&](std::size_t first, std::size_t piece) {
    const std::string text = parse_multipart(type, body, first, piece, limits);
    const std::size_t at = text.find("error: ");
    return at == std::string::npos ? std::string("accepted") : text.substr(at);
  };
  const std::string whole = last(body.size(), 1);
  for (std::size_t cut = 0; cut < body.size() && body.size() < 500; ++cut) {
    EXPECT_EQ(last(cut, body.size()), whole) << cut << " of " << body;
  }
  EXPECT_EQ(last(1, 1), whole) << body;
  return whole;
}

TEST(MalformedMultipart, IsRefusedWhereverItIsCut) {
  struct {
    std::string body;
    Error want;
  } const table[] = {
      {"", Error::truncated},
      {"--XX", Error::truncated},
      {"--XX-", Error::truncated},
      {part, Error::truncated},
      {part + "data\r\n--XX", Error::truncated},
      {part + "data\r\n--XX-", Error::truncated},
      {part + "data\r\n--XX\r\n", Error::truncated},
      {part + "data", Error::truncated},
      {part + "data--XX--", Error::truncated},
      {part + "data\n--XX--", Error::truncated},
      {part + "data\r\n--xx--", Error::truncated},
      {"-XX--\r\n", Error::truncated},
      {"--XXa\r\n", Error::bad_delimiter},
      {"--XX\n", Error::bad_delimiter},
      {"--XX\r\r\n", Error::bad_delimiter},
      {"--XX -\r\n", Error::bad_delimiter},
      {"--XX-\r\n", Error::bad_delimiter},
      {part + "data\r\n--XX.\r\n", Error::bad_delimiter},
      {"--XX\r\nContent-Disposition: form-data; name=a\n\n", Error::bad_part_head},
      {"--XX\r\nContent-Disposition: form-data; name=a\r\n\n", Error::bad_part_head},
      {"--XX\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n", Error::bad_part_head},
      {"--XX\r\nContent-Disposition : form-data; name=a\r\n\r\n", Error::bad_part_head},
      {"--XX\r\nno colon\r\n\r\n", Error::bad_part_head},
      {"--XX\r\nA: \x01\r\n\r\n", Error::bad_part_head},
      {"--XX\r\nA: \r\r\n\r\n", Error::bad_part_head},
      {"--XX\r\n: b\r\n\r\n", Error::bad_part_head},
      {"--XX\r\n\r\ndata", Error::bad_disposition},
      {"--XX\r\nContent-Type: text/plain\r\n\r\n", Error::bad_disposition},
      {"--XX\r\nContent-Disposition: form-data\r\n\r\n", Error::bad_disposition},
      {"--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n", Error::bad_disposition},
      {"--XX\r\nContent-Disposition: form-data; filename=a\r\n\r\n", Error::bad_disposition},
      {"--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\n", Error::bad_disposition},
      {"--XX\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n", Error::bad_disposition},
      {"--XX\r\nContent-Disposition: form-data; name=a\r\n"
       "Content-Disposition: form-data; name=b\r\n\r\n",
       Error::bad_disposition},
  };
  for (const auto& row : table) EXPECT_EQ(outcome(row.body), text_of(row.want)) << row.body;
}

std::string parts(std::size_t count) {
  std::string body;
  for (std::size_t i = 0; i < count; ++i) body += part + "v\r\n";
  return body + "--XX--";
}

TEST(MultipartLimits, CountParts) {
  EXPECT_EQ(outcome(parts(100)), "accepted");
  EXPECT_EQ(outcome(parts(101)), text_of(Error::too_many_parts));
  EXPECT_EQ(outcome(parts(3), {.max_parts = 3}), "accepted");
  EXPECT_EQ(outcome(parts(3), {.max_parts = 2}), text_of(Error::too_many_parts));
}

TEST(MultipartLimits, CountTheBytesOfAPartsHead) {
  const std::string start = "--XX\r\n";
  const std::string head = "Content-Disposition: form-data; name=a\r\nX: ";
  const std::string rest = "\r\n\r\nv\r\n--XX--";
  const std::size_t room = limits::multipart_head_bytes - head.size() - 4;
  EXPECT_EQ(outcome(start + head + std::string(room, 'x') + rest), "accepted");
  EXPECT_EQ(outcome(start + head + std::string(room + 1, 'x') + rest),
            text_of(Error::part_head_too_large));
  EXPECT_EQ(outcome(start + std::string(1'000'000, 'x')), text_of(Error::part_head_too_large));
}

TEST(MultipartLimits, CountTheFieldsOfAPart) {
  const auto body = [](std::size_t count) {
    std::string text = "--XX\r\nContent-Disposition: form-data; name=a\r\n";
    for (std::size_t i = 1; i < count; ++i) text += "X: y\r\n";
    return text + "\r\nv\r\n--XX--";
  };
  EXPECT_EQ(outcome(body(limits::multipart_head_fields)), "accepted");
  EXPECT_EQ(outcome(body(limits::multipart_head_fields + 1)), text_of(Error::part_head_too_large));
}

TEST(MultipartLimits, CountThePreamble) {
  const std::string before(limits::multipart_preamble_bytes, 'x');
  EXPECT_EQ(outcome(before + "\r\n" + parts(1)), "accepted");
  EXPECT_EQ(outcome(before + "x\r\n" + parts(1)), text_of(Error::preamble_too_large));
  EXPECT_EQ(outcome(std::string(limits::multipart_preamble_bytes + 1, '\r') + parts(1)),
            text_of(Error::preamble_too_large));
}

TEST(MultipartLimits, CountAllBytes) {
  const std::string body = parts(2);
  EXPECT_EQ(outcome(body, {.max_bytes = body.size()}), "accepted");
  EXPECT_EQ(outcome(body, {.max_bytes = body.size() - 1}), text_of(Error::too_large));
}

TEST(MultipartLimits, CountPaddingBehindABoundary) {
  EXPECT_EQ(outcome("--XX" + std::string(256, ' ') + "\r\n" + part.substr(6) + "v\r\n--XX--"),
            "accepted");
  EXPECT_EQ(outcome("--XX" + std::string(257, ' ') + "\r\n" + part.substr(6) + "v\r\n--XX--"),
            text_of(Error::bad_delimiter));
}

TEST(MultipartErrors, HaveTheStatusOfTheirKind) {
  EXPECT_EQ(status_for(Error::truncated), 400);
  EXPECT_EQ(status_for(Error::bad_disposition), 400);
  EXPECT_EQ(status_for(Error::too_many_parts), 413);
  EXPECT_EQ(status_for(Error::part_head_too_large), 413);
  EXPECT_EQ(status_for(Error::too_large), 413);
}

}  // namespace
}  // namespace squall::http
