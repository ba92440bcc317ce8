// SPDX-License-Identifier: Apache-2.0
#include "http/event_stream.hpp"

#include <charconv>
#include <cstddef>

namespace squall::http {
namespace {

using namespace std::literals;

// One line of `name` for each line of `text`; at least one.
void append_lines(std::string& out, std::string_view name, std::string_view text) {
  for (;;) {
    const std::size_t end = text.find_first_of("\r\n"sv);
    out += name;
    out += text.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) return;
    text.remove_prefix(text.substr(end).starts_with("\r\n"sv) ? end + 2 : end + 1);
  }
}

}  // namespace

bool is_event_line(std::string_view text) noexcept {
  return text.find_first_of("\r\n\0"sv) == std::string_view::npos;
}

void append_event(std::string& out, const EventFields& event) {
  out.reserve(out.size() + event.event.size() + event.id.size() + event.data.size() + 48);
  if (!event.event.empty()) out.append("event: ").append(event.event).append("\n");
  if (!event.id.empty()) out.append("id: ").append(event.id).append("\n");
  if (event.retry_ms >= 0) {
    char digits[20];
    char* const end = std::to_chars(digits, digits + sizeof digits, event.retry_ms).ptr;
    out.append("retry: ").append(digits, end).append("\n");
  }
  // Without a data line nothing is dispatched: an id or a retry alone is only taken note of.
  const bool only_noted =
      event.data.empty() && event.event.empty() && (!event.id.empty() || event.retry_ms >= 0);
  if (!only_noted) append_lines(out, "data: ", event.data);
  out += '\n';
}

void append_event_comment(std::string& out, std::string_view text) {
  append_lines(out, ": ", text);
  out += '\n';
}

}  // namespace squall::http
