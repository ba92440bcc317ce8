// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace squall::locale {

/// One language of an Accept-Language field: a view into the field.
struct LanguageRange {
  std::string_view tag;      ///< as it was sent: "en-US", or "*"
  std::uint16_t weight = 0;  ///< thousandths: 1 to 1000
};

/// Reads an Accept-Language field (RFC 9110 §12.5.4): what the client wants most comes first, what
/// it wants alike in the order of the field. Languages with a weight of zero are not given, nor
/// what is malformed. Of a field with more than limits::language_ranges the rest is not looked at.
[[nodiscard]] std::vector<LanguageRange> parse_accept_language(std::string_view field);

}  // namespace squall::locale
