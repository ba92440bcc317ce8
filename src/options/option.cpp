// SPDX-License-Identifier: Apache-2.0
#include "options/text.hpp"

#include <squall/base/limits.hpp>
#include <squall/options/option.hpp>

namespace squall::detail {

OptionCore::~OptionCore() = default;

void OptionCore::refuse(const GivenValue& given, const OptionError& error) const {
  std::string text(given.place);
  if (secret) {
    text += ": the value ";
  } else if (given.items != nullptr) {
    text += ": ";
  } else {
    text.append(": '").append(given.text).append("' ");
  }
  throw OptionError(text + error.what());
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  if (options_text::trim(text).empty()) return parts;
  for (;;) {
    const std::size_t comma = text.find(',');
    check_list_size(parts.size());
    parts.emplace_back(options_text::trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

bool split_range(std::string_view text, std::string_view& first, std::string_view& last) {
  std::size_t at = text.find(':');
  // The first character may be a sign.
  if (at == std::string_view::npos) at = text.find('-', 1);
  if (text.empty() || at == std::string_view::npos) return false;
  first = options_text::trim(text.substr(0, at));
  last = options_text::trim(text.substr(at + 1));
  return true;
}

void check_list_size(std::size_t size) {
  if (size >= limits::option_values) {
    refuse_value("has more than " + std::to_string(limits::option_values) + " values");
  }
}

}  // namespace squall::detail
