// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace squall::web {

/// The values of a route's `{name}` places, percent-decoded, in their order.
struct PathArguments {
  const std::string_view* values = nullptr;
  std::size_t count = 0;
};

namespace detail {

/// Whether all of `text` is a decimal number from `low` to `high`; no white space, no plus sign.
[[nodiscard]] bool parse_signed(std::string_view text, long long low, long long high,
                                long long& out) noexcept;
[[nodiscard]] bool parse_unsigned(std::string_view text, unsigned long long high,
                                  unsigned long long& out) noexcept;
[[nodiscard]] bool parse_double(std::string_view text, double& out) noexcept;

template <class T>
concept PathInteger = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

template <PathInteger T>
bool parse_path_argument(std::string_view text, T& out) noexcept {
  if constexpr (std::is_signed_v<T>) {
    constexpr auto high = static_cast<long long>(
        static_cast<T>(~static_cast<T>(0)) == -1 ? (1ULL << (sizeof(T) * 8 - 1)) - 1 : 0);
    long long wide = 0;
    if (!parse_signed(text, -high - 1, high, wide)) return false;
    out = static_cast<T>(wide);
  } else {
    unsigned long long wide = 0;
    if (!parse_unsigned(text, static_cast<T>(~static_cast<T>(0)), wide)) return false;
    out = static_cast<T>(wide);
  }
  return true;
}
template <std::floating_point T>
bool parse_path_argument(std::string_view text, T& out) noexcept {
  double wide = 0;
  if (!parse_double(text, wide)) return false;
  out = static_cast<T>(wide);
  return true;
}
inline bool parse_path_argument(std::string_view text, std::string& out) {
  out.assign(text);
  return true;
}
inline bool parse_path_argument(std::string_view text, std::string_view& out) noexcept {
  out = text;
  return true;
}

/// A verb's parameter of type T: numbers, std::string, std::string_view, or a type of yours with
/// `bool parse_path_argument(std::string_view, T&)` beside it. False becomes 404.
template <class T>
concept PathArgument = std::default_initializable<T> && requires(std::string_view text, T& out) {
  { parse_path_argument(text, out) } -> std::same_as<bool>;
};

}  // namespace detail
}  // namespace squall::web
