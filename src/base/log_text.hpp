// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/log.hpp>

#include <string>
#include <string_view>

namespace squall::log {

/// Bytes of the character at the beginning of a text that is not empty; 0 when it is not UTF-8.
std::size_t character_size(std::string_view text) noexcept;

/// Adds a text in which control characters (those that terminals obey among them) and bytes that
/// are not UTF-8 are `\xNN`; further lines of it are indented.
void append_escaped(std::string& out, std::string_view text);

/// Adds the value of a field that is no text.
void append_number(std::string& out, const Field& field);

/// Adds the message of a line and its fields, at most limits::log_line_bytes of each.
void append_text(std::string& out, const Line& line);

/// Adds a message cut off at limits::log_line_bytes; says how much is missing.
std::string_view cut(std::string_view message, std::string& remark);

}  // namespace squall::log
