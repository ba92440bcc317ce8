// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace squall::locale {

/// Texts that are found by other texts, all of them within one string that it owns. Looking one up
/// allocates nothing.
class Catalog {
 public:
  /// Places in the text; less than 4 GiB.
  struct Entry {
    std::uint32_t key_at = 0;
    std::uint32_t key_size = 0;
    std::uint32_t value_at = 0;
    std::uint32_t value_size = 0;
    bool has_plural = false;  ///< the value has a form for each plural, with NULs between them
  };

  Catalog() = default;
  explicit Catalog(std::string text) noexcept : text_(std::move(text)) {}

  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::string_view value(const Entry& entry) const noexcept {
    return std::string_view(text_).substr(entry.value_at, entry.value_size);
  }

  /// Of a key that is there already the value is replaced.
  void add(const Entry& entry);
  /// The same with texts that are not there yet.
  void add(std::string_view key, std::string_view value);
  /// Gives back what was reserved for more.
  void shrink();

  /// The entry of `key`, of `context`, U+0004 and `key` when there is a context; or nullptr.
  [[nodiscard]] const Entry* find(std::string_view key) const noexcept {
    return find(std::string_view(), key);
  }
  [[nodiscard]] const Entry* find(std::string_view context, std::string_view key) const noexcept;

 private:
  [[nodiscard]] std::string_view key(const Entry& entry) const noexcept {
    return std::string_view(text_).substr(entry.key_at, entry.key_size);
  }
  [[nodiscard]] std::size_t slot(std::string_view context, std::string_view key) const noexcept;
  void grow();

  std::string text_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // a power of two of them: one past the number of an entry
};

}  // namespace squall::locale
