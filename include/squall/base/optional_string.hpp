// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace squall {

/// A text or nothing, where the empty text is not nothing: std::optional<std::string> without the
/// price of <optional> in each file. Converts from it and to it.
class OptionalString {
 public:
  OptionalString() noexcept = default;
  OptionalString(std::string text) : text_(std::move(text)), has_value_(true) {}  // NOLINT
  OptionalString(std::string_view text) : text_(text), has_value_(true) {}        // NOLINT
  OptionalString(const char* text) : text_(text), has_value_(true) {}             // NOLINT
  template <template <class> class Optional>
  OptionalString(Optional<std::string> from) : has_value_(from.has_value()) {  // NOLINT
    if (has_value_) text_ = std::move(*from);
  }

  [[nodiscard]] bool has_value() const noexcept { return has_value_; }
  explicit operator bool() const noexcept { return has_value_; }

  /// The text; "" when there is none.
  [[nodiscard]] const std::string& operator*() const noexcept { return text_; }
  [[nodiscard]] const std::string* operator->() const noexcept { return &text_; }
  [[nodiscard]] std::string value_or(std::string_view otherwise) const {
    return has_value_ ? text_ : std::string(otherwise);
  }
  void reset() noexcept {
    text_.clear();
    has_value_ = false;
  }

  template <template <class> class Optional>
  requires std::constructible_from<Optional<std::string>, std::string>
  operator Optional<std::string>() const {  // NOLINT: implicit by design
    return has_value_ ? Optional<std::string>(text_) : Optional<std::string>();
  }

  friend bool operator==(const OptionalString&, const OptionalString&) = default;
  friend bool operator==(const OptionalString& left, std::string_view right) noexcept {
    return left.has_value_ && left.text_ == right;
  }
  friend bool operator==(const OptionalString& left, const char* right) noexcept {
    return left == std::string_view(right);
  }

 private:
  std::string text_;
  bool has_value_ = false;
};

}  // namespace squall
