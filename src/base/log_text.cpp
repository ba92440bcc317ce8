// SPDX-License-Identifier: Apache-2.0
#include "base/log_text.hpp"

#include "base/hex.hpp"
#include "base/utf8.hpp"

#include <squall/base/limits.hpp>

#include <fmt/format.h>

#include <iterator>

namespace squall::log {
namespace {

/// Whether a value can stand after `name=` as it is.
bool is_plain(std::string_view text) noexcept {
  if (text.empty()) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == '\x7f') return false;
  }
  return true;
}

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t end; !text.empty(); text.remove_prefix(end)) {
    if (const char c = text.front(); c == '"' || c == '\\' || c == '\n' || c == '\t') {
      out.push_back('\\');
      out.push_back(c == '\n' ? 'n' : c == '\t' ? 't' : c);
      end = 1;
    } else {
      end = std::min(text.find_first_of("\"\\\n\t"), text.size());
      append_escaped(out, text.substr(0, end));
    }
  }
  out.push_back('"');
}

void append_value(std::string& out, const Field& field) {
  if (field.kind() != Field::Kind::text) {
    append_number(out, field);
  } else if (is_plain(field.text())) {
    append_escaped(out, field.text());
  } else {
    append_quoted(out, field.text());
  }
}

}  // namespace

void append_number(std::string& out, const Field& field) {
  switch (field.kind()) {
    case Field::Kind::whole:
      fmt::format_to(std::back_inserter(out), "{}", field.whole());
      return;
    case Field::Kind::positive:
      fmt::format_to(std::back_inserter(out), "{}", field.positive());
      return;
    case Field::Kind::real:
      fmt::format_to(std::back_inserter(out), "{}", field.real());
      return;
    case Field::Kind::flag:
      out += field.whole() != 0 ? "true" : "false";
      return;
    case Field::Kind::text:
      return;
  }
}

std::size_t character_size(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  return text.size() >= size && is_utf8(text.substr(0, size)) ? size : 0;
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && text[plain] >= 0x20 && text[plain] < 0x7f) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const std::size_t size = character_size(text);
    const auto first = static_cast<unsigned char>(text.front());
    // U+0080 to U+009F are control characters of terminals, too.
    const bool is_c1 = size == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    if (size != 0 && first >= 0x20 && first != 0x7f && !is_c1) {
      out.append(text.substr(0, size));
      text.remove_prefix(size);
      continue;
    }
    if (first == '\n' || first == '\t') {
      out += first == '\n' ? "\n    " : "\t";  // stack traces: continuation lines are indented
    } else {
      out += "\\x";
      append_hex(out, text.substr(0, 1));
      if (is_c1) {
        out += "\\x";
        append_hex(out, text.substr(1, 1));
        text.remove_prefix(1);
      }
    }
    text.remove_prefix(1);
  }
}

std::string_view cut(std::string_view message, std::string& remark) {
  if (message.size() <= limits::log_line_bytes) return message;
  std::size_t size = limits::log_line_bytes;
  while (size > 0 && (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) --size;
  remark = fmt::format(" ... ({} bytes more)", message.size() - size);
  return message.substr(0, size);
}

void append_text(std::string& out, const Line& line) {
  std::string remark;
  append_escaped(out, cut(line.message, remark));
  out += remark;
  if (line.message_has_fields) return;
  for (std::size_t i = 0; i < line.field_count; ++i) {
    const Field& field = line.fields[i];
    out.push_back(' ');
    append_escaped(out, field.name());
    out.push_back('=');
    if (field.kind() == Field::Kind::text && field.text().size() > limits::log_line_bytes) {
      remark.clear();
      append_value(out, Field(field.name(), cut(field.text(), remark)));
      out += remark;
    } else {
      append_value(out, field);
    }
  }
}

}  // namespace squall::log
