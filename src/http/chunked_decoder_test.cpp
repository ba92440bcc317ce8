// SPDX-License-Identifier: Apache-2.0
#include "http/chunked_decoder.hpp"

#include "http/head_parser_testing.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <set>
#include <string>
#include <string_view>

namespace squall::http {
namespace {

using namespace std::string_view_literals;

struct Outcome {
  std::string body;
  std::size_t consumed = 0;
  bool done = false;
  std::error_code error;
  std::string trailers;
};

std::string text_of(const Trailers& trailers) {
  std::string text;
  for (const auto& [name, value] : trailers) {
    text.append(name).append("=").append(value).append("|");
  }
  return text;
}

/// Feeds `text` cut at `first` and then every `piece` bytes, each piece in a buffer of its own.
Outcome decode(std::string_view text, std::size_t first, std::size_t piece) {
  Outcome outcome;
  ChunkedDecoder decoder;
  std::size_t size = first;
  for (std::size_t at = 0; at < text.size() && !outcome.done; at += size, size = piece) {
    const ExactBuffer buffer(text.substr(at, size));
    std::string_view rest = buffer.view();
    while (!rest.empty() && !outcome.done) {
      const auto step = decoder.next(rest);
      if (!step) {
        outcome.error = step.error();
        return outcome;
      }
      if (step->data.empty() && !step->done) {
        EXPECT_EQ(step->consumed, rest.size());
      }
      EXPECT_LE(step->consumed, rest.size());
      outcome.body += step->data;
      outcome.consumed += step->consumed;
      outcome.done = step->done;
      if (step->done) outcome.trailers = text_of(decoder.trailers());
      rest.remove_prefix(step->consumed);
    }
  }
  return outcome;
}

Outcome decode(std::string_view text) { return decode(text, text.size(), 1); }

TEST(ChunkedDecoder, TakesABodyApart) {  // RFC 9112 §7.1
  struct {
    std::string_view text, body;
  } const table[] = {
      {"0\r\n\r\n", ""},
      {"000\r\n\r\n", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"},
      {"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
      {"0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"},
      {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
      {"5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello"},
      {"5;a=\"b;\\\"c\"; d\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5 ; a\r\nhello\r\n0\t;b\r\n\r\n", "hello"},
      {"0\r\nTrailer: value\r\n\r\n", ""},
      {"1\r\nx\r\n0\r\nA:\r\nB: c \r\nd:\t\xe9\r\n\r\n", "x"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.text);
    const std::string text = std::string(row.text) + "GET / HTTP/1.1\r\n";
    const auto expect_body = [&](const Outcome& outcome) {
      EXPECT_FALSE(outcome.error) << outcome.error.message();
      EXPECT_TRUE(outcome.done);
      EXPECT_EQ(outcome.body, row.body);
      EXPECT_EQ(outcome.consumed, row.text.size());
    };
    expect_body(decode(text));
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      SCOPED_TRACE(cut);
      expect_body(decode(text, cut, text.size()));
      expect_body(decode(text, cut, 1));
    }
    for (std::size_t size = 0; size < row.text.size(); ++size) {
      EXPECT_FALSE(decode(row.text.substr(0, size)).done);
    }
  }
}

TEST(ChunkedDecoder, RefusesMalformedFraming) {  // RFC 9112 §7.1, §11.2
  using enum ChunkError;
  struct {
    std::string_view text;
    ChunkError error;
  } const table[] = {
      {"\r\n"sv, bad_size},
      {"\n"sv, bad_size},
      {" 5\r\nhello\r\n"sv, bad_size},
      {"x\r\n"sv, bad_size},
      {"-1\r\n"sv, bad_size},
      {"+1\r\n"sv, bad_size},
      {"0x5\r\nhello\r\n"sv, bad_size},
      {";a\r\n"sv, bad_size},
      {"5 \r\nhello\r\n"sv, bad_size},
      {"5\t\r\nhello\r\n"sv, bad_size},
      {"5 5\r\nhello\r\n"sv, bad_size},
      {"5g\r\nhello\r\n"sv, bad_size},
      {"5,5\r\nhello\r\n"sv, bad_size},
      {"5_0\r\nhello\r\n"sv, bad_size},
      {"5\0\r\nhello\r\n"sv, bad_size},
      {"5;a\0\r\nhello\r\n"sv, bad_size},
      {"5;\x7f\r\nhello\r\n"sv, bad_size},
      {"8000000000000000\r\n"sv, size_overflow},
      {"ffffffffffffffff\r\n"sv, size_overflow},
      {"10000000000000000\r\n"sv, size_overflow},
      {"00000000000000005\r\nhello\r\n"sv, size_overflow},
      {"5\nhello\r\n"sv, bad_line_ending},
      {"5\rhello\r\n"sv, bad_line_ending},
      {"5\r\rhello\r\n"sv, bad_line_ending},
      {"5 \nhello\r\n"sv, bad_line_ending},
      {"5;a\nhello\r\n"sv, bad_line_ending},
      {"5;a\rb\r\nhello\r\n"sv, bad_line_ending},
      {"5\r\nhello0\r\n\r\n"sv, bad_line_ending},
      {"5\r\nhello\n0\r\n\r\n"sv, bad_line_ending},
      {"5\r\nhello\r0\r\n\r\n"sv, bad_line_ending},
      {"5\r\nhello!\r\n0\r\n\r\n"sv, bad_line_ending},
      {"0\n\n"sv, bad_line_ending},
      {"0\r\n\n"sv, bad_line_ending},
      {"0\r\n\rX"sv, bad_line_ending},
      {"0\r\nA: b\n\r\n"sv, bad_line_ending},
      {"0\r\nA: b\rc\r\n\r\n"sv, bad_line_ending},
      {"0\r\nA\n: b\r\n\r\n"sv, bad_line_ending},
      {"0\r\n A: b\r\n\r\n"sv, bad_trailer},
      {"0\r\nA : b\r\n\r\n"sv, bad_trailer},
      {"0\r\n: b\r\n\r\n"sv, bad_trailer},
      {"0\r\nA\r\n\r\n"sv, bad_trailer},
      {"0\r\nA: \0\r\n\r\n"sv, bad_trailer},
      {"0\r\nA: b\r\n c\r\n\r\n"sv, bad_trailer},
      {"0\r\nGET / HTTP/1.1\r\n\r\n"sv, bad_trailer},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(::testing::PrintToString(std::string(row.text)));
    EXPECT_EQ(decode(row.text).error, row.error) << decode(row.text).error.message();
    for (std::size_t cut = 1; cut < row.text.size(); ++cut) {
      EXPECT_EQ(decode(row.text, cut, 1).error, row.error) << cut;
    }
  }
}

TEST(ChunkedDecoder, CountsTheLargestChunk) {
  ChunkedDecoder decoder;
  const auto step = decoder.next("7fffffffffffffff\r\nabc");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->data, "abc");
}

TEST(ChunkedDecoder, LimitsTheSizeLine) {
  const std::string extension = ";" + std::string(limits::chunk_line_bytes - 2, 'x');
  const std::string text = "1" + extension + "\r\na\r\n0\r\n\r\n";
  EXPECT_EQ(decode(text).body, "a");
  EXPECT_EQ(decode(text, 1, 1).body, "a");
  // Each line has the whole allowance.
  EXPECT_EQ(decode("1" + extension + "\r\na\r\n" + text).body, "aa");
  for (const std::string& line : {"1;" + text.substr(1), "1 " + text.substr(1)}) {
    EXPECT_EQ(decode(line).error, ChunkError::line_too_long);
    EXPECT_EQ(decode(line, 1, 1).error, ChunkError::line_too_long);
  }
  const std::string spaces = "1" + std::string(limits::chunk_line_bytes, ' ');
  EXPECT_EQ(decode(spaces).error, ChunkError::line_too_long);
}

TEST(ChunkedDecoder, LimitsTheTrailerSection) {
  const std::string two(limits::trailer_bytes / 2 - 2, 'x');
  const auto body = [&two](std::string_view more) {
    return "0\r\na:" + two + "\r\nb:" + two + std::string(more) + "\r\n\r\n";
  };
  EXPECT_TRUE(decode(body("")).done);
  EXPECT_TRUE(decode(body(""), 1, 1).done);
  EXPECT_EQ(decode(body("x")).error, ChunkError::trailers_too_large);
  EXPECT_EQ(decode(body("x"), 1, 1).error, ChunkError::trailers_too_large);
  EXPECT_EQ(decode(body("\r\nc:")).error, ChunkError::trailers_too_large);
  // A limit that is passed before a bad byte comes is the limit's, however the bytes were cut.
  const std::string name = "0\r\n" + std::string(limits::trailer_bytes + 1, 'n') + "\n";
  EXPECT_EQ(decode(name).error, ChunkError::trailers_too_large);
  EXPECT_EQ(decode(name, 1, 1).error, ChunkError::trailers_too_large);
}

TEST(ChunkedDecoder, HandsOutTrailerFieldsHoweverTheyWereCut) {  // RFC 9112 §7.1.2
  struct {
    std::string_view text, trailers;
  } const table[] = {
      {"0\r\n\r\n", ""},
      {"0\r\nDigest: sha-256=:x:\r\n\r\n", "Digest=sha-256=:x:|"},
      {"5\r\nhello\r\n0;ext\r\nA:\r\nb: c \t\r\nb:d\r\n\r\n", "A=|b=c|b=d|"},
      {"0\r\nContent-Length: 7\r\n\r\n", ""},
      {"0\r\nA: 1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nB: 2\r\n\r\n", "A=1|B=2|"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(decode(row.text).trailers, row.trailers);
    for (std::size_t cut = 1; cut < row.text.size(); ++cut) {
      EXPECT_EQ(decode(row.text, cut, row.text.size()).trailers, row.trailers) << cut;
      EXPECT_EQ(decode(row.text, cut, 1).trailers, row.trailers) << cut;
    }
  }
}

TEST(ChunkedDecoder, GivesItsTrailerFieldsAway) {
  ChunkedDecoder decoder;
  ASSERT_TRUE(decoder.next("0\r\nA: 1\r\n\r\n"));
  const Trailers taken = decoder.take_trailers();
  EXPECT_EQ(text_of(taken), "A=1|");
  EXPECT_TRUE(decoder.trailers().empty());
}

TEST(ChunkedDecoder, LimitsTheNumberOfTrailerFields) {
  std::string text = "0\r\n";
  for (std::size_t i = 0; i < limits::field_count; ++i) text += "a:b\r\n";
  EXPECT_TRUE(decode(text + "\r\n").done);
  EXPECT_EQ(decode(text + "a:b\r\n\r\n").error, ChunkError::trailers_too_large);
}

TEST(ChunkedDecoder, TakesNothingOnceDone) {
  ChunkedDecoder decoder;
  ASSERT_TRUE(decoder.next("0\r\n\r\n"));
  const auto step = decoder.next("GET");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->consumed, 0u);
  EXPECT_TRUE(step->done);
}

TEST(ChunkedDecoder, GivesDataWhereItLies) {
  const std::string text = "3\r\nabc\r\n0\r\n\r\n";
  ChunkedDecoder decoder;
  const auto step = decoder.next(text);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->data.data(), text.data() + 3);
  EXPECT_EQ(step->consumed, 6u);
}

TEST(ChunkError, HasAStatusAndATextEach) {
  using enum ChunkError;
  std::set<std::string> texts;
  const ChunkError all[] = {bad_size,      size_overflow, bad_line_ending,
                            line_too_long, bad_trailer,   trailers_too_large};
  for (const ChunkError error : all) {
    EXPECT_EQ(status_for(error), error == trailers_too_large ? 431 : 400);
    texts.insert(make_error_code(error).message());
  }
  EXPECT_EQ(texts.size(), std::size(all));
}

}  // namespace
}  // namespace squall::http
