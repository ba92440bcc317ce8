// SPDX-License-Identifier: Apache-2.0
#include <squall/web/path_argument.hpp>

#include <charconv>
#include <system_error>

namespace squall::web::detail {
namespace {

template <class T>
bool parse_all(std::string_view text, T& out) noexcept {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && stopped == end;
}

}  // namespace

bool parse_signed(std::string_view text, long long low, long long high, long long& out) noexcept {
  return parse_all(text, out) && out >= low && out <= high;
}

bool parse_unsigned(std::string_view text, unsigned long long high,
                    unsigned long long& out) noexcept {
  return parse_all(text, out) && out <= high;
}

bool parse_double(std::string_view text, double& out) noexcept { return parse_all(text, out); }

}  // namespace squall::web::detail
