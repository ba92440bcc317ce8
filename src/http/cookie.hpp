// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

/// Reads the pairs of a Cookie field the way browsers write them (RFC 6265 §5.4), which is laxer
/// than the grammar: a name may be empty, white space around names and values is dropped, and
/// nothing is an error. At most limits::cookie_count pairs are given. Does not allocate.
class CookieReader {
 public:
  explicit CookieReader(std::string_view field) noexcept : rest_(field) {}

  /// Moves to the next pair; false when there is none.
  bool next() noexcept;
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  /// As it was sent; unquote_cookie() makes the value of it.
  [[nodiscard]] std::string_view raw_value() const noexcept { return value_; }

 private:
  std::string_view rest_;
  std::string_view name_;
  std::string_view value_;
  std::size_t count_ = 0;
};

/// Calls `visit(name, raw_value)` for each pair of a Cookie field, in order.
template <class Visitor>
void parse_cookie(std::string_view field, Visitor&& visit) {
  for (CookieReader reader(field); reader.next();) visit(reader.name(), reader.raw_value());
}

/// The raw value of the last cookie of that name (names are case-sensitive), if any.
[[nodiscard]] std::optional<std::string_view> find_cookie(std::string_view field,
                                                          std::string_view name) noexcept;

/// The value behind a raw one: between double quotes, `\ooo` is a byte in octal and a backslash
/// before anything else goes; without them it is the value itself. Undoes what SetCookie quotes.
[[nodiscard]] std::string unquote_cookie(std::string_view raw);

}  // namespace squall::http
