// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace squall::web::detail {

/// A path argument on its way into a URL: a view of the caller's text, or a number written out.
class URLArgument {
 public:
  URLArgument(std::string_view text) noexcept : text_(text) {}  // NOLINT: implicit by design
  template <class T>
  requires std::convertible_to<const T&, std::string_view> URLArgument(const T& text)
  noexcept : text_(text) {}  // NOLINT
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) URLArgument(T number)
  noexcept {  // NOLINT
    if constexpr (std::is_signed_v<T>) {
      write(number);
    } else {
      write_unsigned(number);
    }
  }
  template <std::floating_point T>
  URLArgument(T number) noexcept {  // NOLINT
    write_real(number);
  }

  [[nodiscard]] std::string_view text() const noexcept {
    return size_ != 0 ? std::string_view(digits_, size_) : text_;
  }

 private:
  void write(long long number) noexcept;
  void write_unsigned(unsigned long long number) noexcept;
  void write_real(double number) noexcept;

  std::string_view text_;
  std::size_t size_ = 0;
  char digits_[32];
};

}  // namespace squall::web::detail
