// SPDX-License-Identifier: Apache-2.0
#include "log/json.hpp"

#include "base/log_text.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <iterator>

namespace squall::log {
namespace {

constexpr std::array<std::string_view, 5> level_names = {"debug", "info", "warning", "error",
                                                         "none"};

void append_string(std::string& out, std::string_view text) {
  std::string remark;
  text = cut(text, remark);
  out.push_back('"');
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && text[plain] >= 0x20 && text[plain] < 0x7f && text[plain] != '"' &&
           text[plain] != '\\') {
      ++plain;
    }
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char c = text.front();
    std::size_t size = 1;
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else if (size = character_size(text); size != 0) {
      out.append(text.substr(0, size));
    } else {
      out += "\xEF\xBF\xBD";
      size = 1;
    }
    text.remove_prefix(size);
  }
  out += remark;
  out.push_back('"');
}

void append_value(std::string& out, const Field& field) {
  if (field.kind() == Field::Kind::text) {
    append_string(out, field.text());
  } else if (field.kind() == Field::Kind::real && !std::isfinite(field.real())) {
    out += "null";  // JSON has finite numbers only
  } else {
    append_number(out, field);
  }
}

bool is_taken(std::string_view name) {
  return name == "time" || name == "level" || name == "channel" || name == "message";
}

}  // namespace

void append_time(std::string& out, std::int64_t microseconds) {
  using namespace std::chrono;
  const sys_time<std::chrono::microseconds> time{std::chrono::microseconds(microseconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                 clock.seconds().count(), clock.subseconds().count());
}

void append_json(std::string& out, const Line& line, std::int64_t microseconds) {
  out += "{\"time\":\"";
  append_time(out, microseconds);
  out += "\",\"level\":\"";
  out += level_names[static_cast<std::size_t>(line.level)];
  out += "\",\"channel\":";
  append_string(out, line.channel);
  out += ",\"message\":";
  append_string(out, line.message);
  for (std::size_t i = 0; i < line.field_count; ++i) {
    const Field& field = line.fields[i];
    out.push_back(',');
    append_string(
        out, is_taken(field.name()) ? "_" + std::string(field.name()) : std::string(field.name()));
    out.push_back(':');
    append_value(out, field);
  }
  out += "}\n";
}

}  // namespace squall::log
