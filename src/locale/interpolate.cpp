// SPDX-License-Identifier: Apache-2.0
#include <squall/locale/interpolate.hpp>

#include <algorithm>

namespace squall::locale {

std::string interpolate(
    std::string_view text,
    std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  std::string out;
  out.reserve(text.size() + 32);
  for (;;) {
    const std::size_t percent = text.find('%');
    out += text.substr(0, percent);
    if (percent == std::string_view::npos) return out;
    text.remove_prefix(percent);
    if (text.starts_with("%%")) {
      out += '%';
      text.remove_prefix(2);
      continue;
    }
    const std::size_t close = text.starts_with("%(") ? text.find(')') : std::string_view::npos;
    if (close != std::string_view::npos && close + 1 < text.size() &&
        (text[close + 1] == 's' || text[close + 1] == 'd')) {
      const std::string_view name = text.substr(2, close - 2);
      const auto found = std::find_if(values.begin(), values.end(),
                                      [name](const auto& value) { return value.first == name; });
      if (found != values.end()) {
        out += found->second;
        text.remove_prefix(close + 2);
        continue;
      }
    }
    out += '%';
    text.remove_prefix(1);
  }
}

}  // namespace squall::locale
