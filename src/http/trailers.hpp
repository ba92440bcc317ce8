// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace squall::http {

/// Whether a field may come in a trailer section. Those that say how to frame, route, authenticate,
/// condition or decode a message may not (RFC 9110 §6.5.1): they would come after they were needed,
/// and past whoever checked the head. Of the Content-* fields only Content-Digest may (RFC 9530
/// §2).
[[nodiscard]] bool is_trailer_allowed(std::string_view name) noexcept;

/// The fields of a trailer section (RFC 9112 §7.1.2), in the order they came. Owns their bytes.
///
///     for (const auto& [name, value] : decoder.trailers()) ...
class Trailers {
 public:
  struct Field {
    std::string_view name;   ///< in the case it came in
    std::string_view value;  ///< without the white space around it
  };

  class Iterator {
   public:
    explicit Iterator(std::string_view lines) noexcept : lines_(lines) {}
    Field operator*() const noexcept;
    Iterator& operator++() noexcept {
      lines_.remove_prefix(lines_.find('\n') + 1);
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept {
      return lines_.size() == other.lines_.size();
    }

   private:
    std::string_view lines_;  // from the field on
  };

  [[nodiscard]] bool empty() const noexcept { return done_ == 0; }
  /// The fields, as long as this object lives and takes no more.
  [[nodiscard]] Iterator begin() const noexcept { return Iterator({lines_.data(), done_}); }
  [[nodiscard]] Iterator end() const noexcept { return Iterator({lines_.data() + done_, 0}); }
  /// The value of the first field of that name, compared without regard to case, or "".
  [[nodiscard]] std::string_view field(std::string_view name) const noexcept;

  /// Takes a piece of a field line `name ":" value`, which the caller has checked.
  void append(std::string_view piece) { lines_ += piece; }
  /// Ends the line: keeps the field, or forgets it when it is not allowed in a trailer section.
  void end_line();

 private:
  std::string lines_;     // `name ":" value LF` each; after done_ an unfinished one
  std::size_t done_ = 0;  // bytes of those that are whole
};

}  // namespace squall::http
