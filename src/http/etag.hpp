// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace squall::http {

/// Whether `text` is an entity tag with its quotes, `W/` before it or not (RFC 9110 §8.8.3).
[[nodiscard]] bool is_entity_tag(std::string_view text) noexcept;

/// Whether two entity tags are the same, and neither is weak (RFC 9110 §8.8.3.2).
[[nodiscard]] bool strongly_equal(std::string_view left, std::string_view right) noexcept;
/// Whether two entity tags are the same but for their weakness (RFC 9110 §8.8.3.2).
[[nodiscard]] bool weakly_equal(std::string_view left, std::string_view right) noexcept;

/// Reads the value of one If-Match or If-None-Match line: `*`, or a list of entity tags (RFC 9110
/// §13.1.1). Commas may stand between a tag's quotes, so it is no list of tokens.
///
/// Linear, no allocation. Of a malformed list, what stands before the fault is given.
class EntityTagReader {
 public:
  explicit EntityTagReader(std::string_view field) noexcept;

  /// Whether the field is `*`, which has no tags.
  [[nodiscard]] bool is_any() const noexcept { return any_; }
  /// Moves to the next tag; false when there is none.
  bool next() noexcept;
  [[nodiscard]] std::string_view tag() const noexcept { return tag_; }

 private:
  std::string_view rest_;
  std::string_view tag_;
  bool any_;
};

}  // namespace squall::http
