// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/error.hpp>

#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

/// How the values of options are read from text and written as text.
///
/// A type of one's own becomes an option's by two functions in its namespace:
/// `void parse_option(std::string_view text, Mine& into)` and
/// `std::string format_option(const Mine& value)`. The first throws OptionError with a text that
/// goes on after the quoted value: "is not a colour".
namespace squall {

/// Tells whoever started the program what is wrong with an option; what() names the option, the
/// value and, for a configuration file, the line.
class OptionError : public Error {
 public:
  using Error::Error;
};

/// A number of bytes: `64KiB`, `1.5 MB`, `100`. KiB, MiB, GiB and TiB are powers of 1024, and so
/// are the letters K, M, G and T alone; KB, MB, GB and TB are powers of 1000.
struct ByteCount {
  std::uint64_t count = 0;
  friend constexpr auto operator<=>(ByteCount, ByteCount) noexcept = default;
};

/// A date and a time of day as somebody wrote them, in no time zone.
///
/// Read in Tornado's ten forms: `Fri Jan 2 15:04:05 2026`, `2026-01-02 15:04:05`, without seconds,
/// with `T`, `20260102 15:04:05`, without seconds, a date alone (midnight), a time alone (of
/// 1900-01-01), and `2026-01-02T15:04:05`. The 30th of February is refused.
struct DateTime {
  int year = 1900;
  int month = 1;  ///< 1 to 12
  int day = 1;    ///< 1 to 31
  int hour = 0;
  int minute = 0;
  int second = 0;
  friend constexpr auto operator<=>(const DateTime&, const DateTime&) noexcept = default;
};

namespace detail {
std::int64_t parse_whole(std::string_view text, std::int64_t least, std::int64_t most);
std::uint64_t parse_whole(std::string_view text, std::uint64_t most);
}  // namespace detail

/// true, yes, on, t, y, 1 and false, no, off, f, n, 0, in any case. All else is an error, where
/// Tornado takes `no` for true.
void parse_option(std::string_view text, bool& into);
void parse_option(std::string_view text, double& into);
void parse_option(std::string_view text, float& into);
/// Any UTF-8 (RFC 3629); other bytes are an error.
void parse_option(std::string_view text, std::string& into);
/// `1h 30m`, `1h30m`, `1.5d`, `250ms`; a number alone is seconds. Units: w, d, h, m or min, s or
/// sec, ms, us, ns, and their English words.
void parse_option(std::string_view text, Duration& into);
void parse_option(std::string_view text, ByteCount& into);
void parse_option(std::string_view text, DateTime& into);
/// Decimal, in the range of the type.
template <std::integral T>
requires(!std::same_as<T, bool>) void parse_option(std::string_view text, T& into) {
  if constexpr (std::signed_integral<T>) {
    into = static_cast<T>(detail::parse_whole(text, std::int64_t{std::numeric_limits<T>::min()},
                                              std::int64_t{std::numeric_limits<T>::max()}));
  } else {
    into = static_cast<T>(detail::parse_whole(text, std::uint64_t{std::numeric_limits<T>::max()}));
  }
}

/// What parse_option() reads back as the same value.
[[nodiscard]] std::string format_option(bool value);
[[nodiscard]] std::string format_option(double value);
[[nodiscard]] std::string format_option(float value);
[[nodiscard]] std::string format_option(const std::string& value);
[[nodiscard]] std::string format_option(Duration value);
[[nodiscard]] std::string format_option(ByteCount value);
[[nodiscard]] std::string format_option(const DateTime& value);
template <std::integral T>
requires(!std::same_as<T, bool>) [[nodiscard]] std::string format_option(T value) {
  return std::to_string(value);
}

}  // namespace squall
