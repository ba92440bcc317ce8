// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// text/event-stream, written (HTML Living Standard, section 9.2 "Server-sent events").
namespace squall::http {

inline constexpr std::string_view event_stream_type = "text/event-stream; charset=utf-8";

/// One event. What is empty is left out, as long as something is left that says what it is for.
struct EventFields {
  std::string_view event;      ///< "" is "message" for the page
  std::string_view id;         ///< what a client that comes back sends as Last-Event-ID
  std::string_view data;       ///< any number of lines
  std::int64_t retry_ms = -1;  ///< how long a client waits before it comes back; below zero: unsaid
};

/// Whether `text` can stand on the line of an event's name or id: no line break, and no NUL, for
/// which clients ignore an id.
[[nodiscard]] bool is_event_line(std::string_view text) noexcept;

/// Appends the event with the empty line that ends it. Line breaks in data, CR, LF or CRLF, begin a
/// new data line, and reach the client as LF. `event` and `id` must be is_event_line().
void append_event(std::string& out, const EventFields& event);

/// Appends a comment, which clients ignore: what keeps an idle connection open.
void append_event_comment(std::string& out, std::string_view text);

}  // namespace squall::http
