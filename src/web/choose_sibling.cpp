// SPDX-License-Identifier: Apache-2.0
#include "web/choose_sibling.hpp"

#include "http/ascii.hpp"
#include "http/tokens.hpp"

#include <array>
#include <string_view>

namespace squall::web {
namespace {

namespace ascii = http::ascii;

constexpr int unnamed = -1;

/// A weight in thousandths (RFC 9110 §12.4.2), 0 where it is malformed: what was not understood is
/// not what was asked for.
int weight_of(std::string_view parameters) noexcept {
  parameters = ascii::trim(parameters);
  if (parameters.empty()) return 1000;
  if (parameters.size() < 3 || ascii::lower(parameters[0]) != 'q' || parameters[1] != '=') return 0;
  const std::string_view number = parameters.substr(2);
  if (number[0] != '0' && number[0] != '1') return 0;
  int value = (number[0] - '0') * 1000;
  if (number.size() == 1) return value;
  if (number[1] != '.' || number.size() > 5) return 0;
  int scale = 100;
  for (const char c : number.substr(2)) {
    if (!ascii::is_digit(c)) return 0;
    value += (c - '0') * scale;
    scale /= 10;
  }
  return value > 1000 ? 0 : value;
}

}  // namespace

std::size_t choose_sibling(const http::RequestHead& head, unsigned available) noexcept {
  std::array<int, variant_count> weights;
  weights.fill(unnamed);
  int others = unnamed;  // of `*`
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (!ascii::equal(head.field_name(i), "Accept-Encoding")) continue;
    http::ListReader reader(head.field_value(i));
    while (reader.next()) {
      const std::string_view element = reader.element();
      const std::size_t semicolon = element.find(';');
      const std::string_view name = ascii::trim(element.substr(0, semicolon));
      const int weight =
          semicolon == std::string_view::npos ? 1000 : weight_of(element.substr(semicolon + 1));
      if (name == "*") others = weight;
      if (ascii::equal(name, "identity")) weights[0] = weight;
      const std::string_view coding = ascii::equal(name, "x-gzip") ? "gzip" : name;  // §8.4.1.3
      for (std::size_t variant = 1; variant < variant_count; ++variant) {
        if (ascii::equal(coding, variants[variant].coding)) weights[variant] = weight;
      }
    }
  }
  // The file itself is acceptable unless it is excluded, and the last resort even then.
  std::size_t best = 0;
  int best_weight = weights[0] == unnamed ? 0 : weights[0];
  for (std::size_t variant = 1; variant < variant_count; ++variant) {
    if ((available & (1U << variant)) == 0) continue;
    const int weight = weights[variant] == unnamed ? others : weights[variant];
    // Of the same weight, the smaller representation.
    if (weight > 0 && (weight > best_weight || (best == 0 && weight == best_weight))) {
      best = variant;
      best_weight = weight;
    }
  }
  return best;
}

}  // namespace squall::web
