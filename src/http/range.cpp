// SPDX-License-Identifier: Apache-2.0
#include "http/range.hpp"

#include "http/ascii.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace squall::http {
namespace {

// About what a part costs besides its bytes; a smaller gap is cheaper to send.
constexpr std::uint64_t part_overhead_bytes = 80;

constexpr std::uint64_t no_number = std::numeric_limits<std::uint64_t>::max();

struct Spec {
  std::uint64_t first = no_number;  // no_number for a suffix
  std::uint64_t last = no_number;   // no_number for an open end; of a suffix, its length
};

/// Reads 1*DIGIT; a number too large for 64 bits is past the end of anything.
std::optional<std::uint64_t> number(std::string_view text) noexcept {
  if (text.empty()) return {};
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!ascii::is_digit(c)) return {};
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (no_number - 1 - digit) / 10 ? no_number - 1 : value * 10 + digit;
  }
  return value;
}

std::optional<Spec> parse_spec(std::string_view text) noexcept {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return {};
  Spec spec;
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (first) {
    spec.first = *first;
    if (last) {
      spec.last = *last;
    } else if (dash + 1 != text.size()) {
      return {};
    }
    return spec;
  }
  if (dash != 0 || !last) return {};
  spec.last = *last;
  return spec;
}

}  // namespace

// Joins it with those it overlaps or nearly touches, in the place of the first of them.
void RangeSet::add(ByteRange range) noexcept {
  std::size_t place = count_;
  for (std::size_t i = 0; i < count_;) {
    ByteRange& other = ranges_[i];
    const bool near = range.first <= other.end() + part_overhead_bytes &&
                      other.first <= range.end() + part_overhead_bytes;
    if (!near) {
      ++i;
      continue;
    }
    const std::uint64_t first = std::min(range.first, other.first);
    range = {first, std::max(range.end(), other.end()) - first};
    place = std::min(place, i);
    std::move(ranges_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
              ranges_.begin() + static_cast<std::ptrdiff_t>(count_),
              ranges_.begin() + static_cast<std::ptrdiff_t>(i));
    --count_;
    i = 0;  // it has grown: an earlier one may touch it now
  }
  place = std::min(place, count_);
  std::move_backward(ranges_.begin() + static_cast<std::ptrdiff_t>(place),
                     ranges_.begin() + static_cast<std::ptrdiff_t>(count_),
                     ranges_.begin() + static_cast<std::ptrdiff_t>(count_) + 1);
  ranges_[place] = range;
  ++count_;
}

RangeSet select_ranges(std::string_view field, std::uint64_t size) noexcept {
  RangeSet set;
  const std::size_t equals = field.find('=');
  if (equals == std::string_view::npos || !ascii::equal(field.substr(0, equals), "bytes")) {
    return set;
  }
  bool reversed = false;
  std::size_t specs = 0;
  RangeSet chosen;
  ListReader reader(field.substr(equals + 1));
  while (reader.next()) {
    if (reader.element().empty()) continue;  // RFC 9110 §5.6.1.2
    const auto spec = parse_spec(reader.element());
    if (!spec || ++specs > limits::range_count) return set;
    const bool suffix = spec->first == no_number;
    if (!suffix && spec->last < spec->first) reversed = true;
    ByteRange range;
    if (suffix) {
      range.size = std::min(spec->last, size);
      range.first = size - range.size;
    } else {
      if (spec->first >= size) continue;
      range.first = spec->first;
      range.size = std::min(spec->last, size - 1) - spec->first + 1;
    }
    if (range.size != 0 && !reversed) chosen.add(range);
  }
  if (specs == 0 || size == 0) return set;
  if (reversed || chosen.count_ == 0) {  // RFC 9110 §15.5.17: "rejected due to invalid ranges"
    set.outcome_ = RangeSet::Outcome::unsatisfiable;
    return set;
  }
  if (chosen.count_ == 1 && chosen.ranges_[0].size == size) return set;
  chosen.outcome_ = RangeSet::Outcome::partial;
  return chosen;
}

std::string content_range(ByteRange range, std::uint64_t size) {
  std::string text("bytes ");
  text += std::to_string(range.first);
  text += '-';
  text += std::to_string(range.end() - 1);
  text += '/';
  text += std::to_string(size);
  return text;
}

std::string unsatisfied_range(std::uint64_t size) { return "bytes */" + std::to_string(size); }

std::string MultipartRanges::content_type() const {
  return "multipart/byteranges; boundary=" + std::string(boundary_);
}

std::string MultipartRanges::head(std::size_t index) const {
  std::string text(index == 0 ? "--" : "\r\n--");
  text += boundary_;
  if (!content_type_.empty()) text.append("\r\nContent-Type: ").append(content_type_);
  text += "\r\nContent-Range: ";
  text += content_range(ranges_[index], size_);
  text += "\r\n\r\n";
  return text;
}

std::string MultipartRanges::tail() const { return "\r\n--" + std::string(boundary_) + "--\r\n"; }

std::uint64_t MultipartRanges::content_length() const {
  std::uint64_t length = tail().size();
  for (std::size_t i = 0; i < ranges_.size(); ++i) length += head(i).size() + ranges_[i].size;
  return length;
}

}  // namespace squall::http
