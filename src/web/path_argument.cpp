// SPDX-License-Identifier: Apache-2.0
#include "base/number.hpp"

#include <squall/web/path_argument.hpp>

namespace squall::web::detail {

bool parse_signed(std::string_view text, long long low, long long high, long long& out) noexcept {
  return read_number(text, out) && out >= low && out <= high;
}

bool parse_unsigned(std::string_view text, unsigned long long high,
                    unsigned long long& out) noexcept {
  return read_number(text, out) && out <= high;
}

bool parse_double(std::string_view text, double& out) noexcept { return read_number(text, out); }

}  // namespace squall::web::detail
