// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace squall::http {

/// Fields that the library itself looks at in every head; the parser marks them, so that
/// finding one compares numbers and not names.
enum class FieldId : std::uint8_t {
  other,
  host,
  connection,
  content_length,
  transfer_encoding,
  expect,
  upgrade,
  content_type,
  cookie,
  origin,
  if_none_match,
  if_modified_since,
  if_match,
  if_unmodified_since,
  if_range,
  range,
};

/// The fields of a parsed head (RFC 9112 §5): what a request's and a response's have in common.
///
/// It owns no bytes: all views point into the buffer that was parsed, and move with rebase().
/// Field names keep the case they came in and are looked up without regard to it.
class HeadFields {
 public:
  HeadFields() noexcept {}  // not defaulted: `HeadFields{}` would clear the whole field table

  [[nodiscard]] std::size_t field_count() const noexcept { return field_count_; }
  [[nodiscard]] std::string_view field_name(std::size_t index) const noexcept {
    return view(fields_[index].name_at, fields_[index].name_size);
  }
  [[nodiscard]] std::string_view field_value(std::size_t index) const noexcept {
    return view(fields_[index].value_at, fields_[index].value_size);
  }
  [[nodiscard]] FieldId field_id(std::size_t index) const noexcept { return fields_[index].id; }

  /// The value of the first field of that name, or "" (an absent and an empty field look alike;
  /// has() tells them apart).
  [[nodiscard]] std::string_view field(std::string_view name) const noexcept;
  [[nodiscard]] std::string_view field(FieldId id) const noexcept;
  [[nodiscard]] bool has(std::string_view name) const noexcept;
  [[nodiscard]] bool has(FieldId id) const noexcept {
    return (present_ & (1U << static_cast<unsigned>(id))) != 0;
  }
  /// Whether there is any of these fields; one test for all.
  template <FieldId... Ids>
  [[nodiscard]] bool has_any() const noexcept {
    return (present_ & ((1U << static_cast<unsigned>(Ids)) | ...)) != 0;
  }

  /// The bytes of the whole head, first line to empty line.
  [[nodiscard]] std::string_view bytes() const noexcept { return view(0, size_); }
  /// Points all views into `base`, where the caller has put a copy of bytes().
  void rebase(const char* base) noexcept { base_ = base; }

 protected:
  friend class HeadParser;

  struct Field {
    std::uint32_t name_at;
    std::uint32_t value_at;
    std::uint32_t value_size;
    std::uint16_t name_size;
    FieldId id;
  };

  [[nodiscard]] std::string_view view(std::uint32_t at, std::uint32_t size) const noexcept {
    return {base_ + at, size};
  }

  /// Becomes a copy of `other`'s index; costs its number of fields, not the table's size.
  void assign_fields(const HeadFields& other) noexcept;

  const char* base_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t present_ = 0;  // one bit a FieldId
  std::uint16_t field_count_ = 0;
  Field fields_[limits::field_count];
};

}  // namespace squall::http
