// SPDX-License-Identifier: Apache-2.0
#include "locale/csv_file.hpp"

#include <fmt/format.h>

#include <utility>

namespace squall::locale {
namespace {

constexpr std::size_t max_notes = 10;

// The size of the white space that `text` begins with, 0 when it begins with something else. What
// Python's str.strip() takes away.
std::size_t leading_space(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const char c = text.front();
  if (c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f)) return 1;
  for (const std::string_view space :
       {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
        "\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f",
        "\u3000"}) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

std::string_view strip(std::string_view text) noexcept {
  while (const std::size_t size = leading_space(text)) text.remove_prefix(size);
  for (std::size_t end = text.size(); end != 0;) {
    std::size_t begin = end - 1;  // of the last character
    while (begin != 0 && (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80) --begin;
    if (leading_space(text.substr(begin, end - begin)) == 0) break;
    text = text.substr(0, begin);
    end = begin;
  }
  return text;
}

}  // namespace

bool CSVReader::at_line_break() const noexcept {
  return at_ == text_.size() || text_[at_] == '\n' || text_[at_] == '\r';
}

void CSVReader::skip_line_break() {
  if (at_ == text_.size()) return;
  if (text_[at_] == '\r' && text_.substr(at_ + 1).starts_with('\n')) ++at_;
  ++at_;
  ++line_;
}

void CSVReader::read_field() {
  std::string& field = fields_.emplace_back();
  if (at_ < text_.size() && text_[at_] == '"') {
    for (++at_;; ++at_) {
      if (at_ == text_.size()) {
        unfinished_ = true;
        return;
      }
      if (text_[at_] == '"') {
        ++at_;
        if (at_ == text_.size() || text_[at_] != '"') break;
      } else if (at_line_break()) {
        skip_line_break();  // of any kind, as Python reads text
        --at_;
        field.push_back('\n');
        continue;
      }
      field.push_back(text_[at_]);
    }
  }
  while (!at_line_break() && text_[at_] != ',') field.push_back(text_[at_++]);
}

bool CSVReader::next() {
  fields_.clear();
  if (at_ == text_.size()) return false;
  row_line_ = line_;
  if (!at_line_break()) {
    read_field();
    while (at_ < text_.size() && text_[at_] == ',') {
      ++at_;
      read_field();
    }
  }
  skip_line_break();
  return true;
}

std::unique_ptr<const Messages> read_csv_file(std::string_view text, std::size_t max_messages,
                                              std::string& why, std::vector<std::string>& notes) {
  auto messages = std::make_unique<CSVMessages>();
  std::size_t count = 0;
  CSVReader reader(text);
  while (reader.next()) {
    if (reader.is_unfinished()) {
      why = fmt::format("line {}: a quote that does not end", reader.line());
      return nullptr;
    }
    const std::vector<std::string>& row = reader.fields();
    if (row.size() < 2) continue;
    const std::string_view indicator = row.size() > 2 ? strip(row[2]) : std::string_view();
    Catalog* catalog = nullptr;
    if (indicator.empty() || indicator == "unknown") {
      catalog = &messages->unknown;
    } else if (indicator == "plural") {
      catalog = &messages->plurals;
    } else if (indicator == "singular") {
      catalog = &messages->singular;
    } else {
      if (notes.size() < max_notes) {
        notes.push_back(fmt::format(
            "line {}: \"{}\" is not \"plural\", \"singular\" or \"unknown\"; the row is left out",
            reader.line(), indicator));
      }
      continue;
    }
    if (++count > max_messages) {
      why = fmt::format("line {}: more than {} messages", reader.line(), max_messages);
      return nullptr;
    }
    catalog->add(strip(row[0]), strip(row[1]));
  }
  for (Catalog* const catalog : {&messages->unknown, &messages->singular, &messages->plurals}) {
    catalog->shrink();
  }
  return messages;
}

}  // namespace squall::locale
