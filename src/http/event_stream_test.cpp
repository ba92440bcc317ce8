// SPDX-License-Identifier: Apache-2.0
#include "http/event_stream.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::http {
namespace {

using namespace std::literals;

std::string text_of(const EventFields& event) {
  std::string out;
  append_event(out, event);
  return out;
}

TEST(EventStream, WritesEachFieldOnItsLineAndAnEmptyLineBehind) {
  EXPECT_EQ(text_of({.event = "tick", .id = "7", .data = "one", .retry_ms = 1500}),
            "event: tick\nid: 7\nretry: 1500\ndata: one\n\n");
  EXPECT_EQ(text_of({.event = "", .id = "", .data = "one"}), "data: one\n\n");
}

TEST(EventStream, EveryKindOfLineBreakBeginsANewDataLine) {
  EXPECT_EQ(text_of({.event = "", .id = "", .data = "a\nb\rc\r\nd"}),
            "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(text_of({.event = "", .id = "", .data = "a\n"}), "data: a\ndata: \n\n");
  EXPECT_EQ(text_of({.event = "", .id = "", .data = "\r\r\n\n"}),
            "data: \ndata: \ndata: \ndata: \n\n");
}

TEST(EventStream, ASpaceAtTheBeginningOfDataIsKept) {
  EXPECT_EQ(text_of({.event = "", .id = "", .data = " a"}), "data:  a\n\n");
}

TEST(EventStream, AnEventWithoutDataIsStillDispatched) {
  EXPECT_EQ(text_of({.event = "gone", .id = "", .data = ""}), "event: gone\ndata: \n\n");
  EXPECT_EQ(text_of({.event = "", .id = "", .data = ""}), "data: \n\n");
}

TEST(EventStream, AnIdOrARetryAloneIsNoEvent) {
  EXPECT_EQ(text_of({.event = "", .id = "9", .data = ""}), "id: 9\n\n");
  EXPECT_EQ(text_of({.event = "", .id = "", .data = "", .retry_ms = 0}), "retry: 0\n\n");
}

TEST(EventStream, NamesAndIdsHaveNoLineBreakAndNoNul) {
  EXPECT_TRUE(is_event_line("caf\xc3\xa9: 1"));
  EXPECT_TRUE(is_event_line(""));
  EXPECT_FALSE(is_event_line("a\nb"));
  EXPECT_FALSE(is_event_line("a\r"));
  EXPECT_FALSE(is_event_line("a\0b"sv));
}

TEST(EventStream, ACommentCannotBreakOutOfItsLines) {
  std::string out;
  append_event_comment(out, "a\ndata: b");
  EXPECT_EQ(out, ": a\n: data: b\n\n");
  out.clear();
  append_event_comment(out, "");
  EXPECT_EQ(out, ": \n\n");
}

}  // namespace
}  // namespace squall::http
