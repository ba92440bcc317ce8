// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>
#include <squall/http/method.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace squall::http {

/// Fields that the server itself looks at on every request; the parser marks them, so that
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

/// A parsed request head: request line and fields (RFC 9112 §3 and §5).
///
/// It owns no bytes: all views point into the buffer that was parsed, and move with rebase().
/// Field names keep the case they came in and are looked up without regard to it.
class RequestHead {
 public:
  RequestHead() noexcept {}  // not defaulted: `RequestHead{}` would clear the whole field table

  [[nodiscard]] Method method() const noexcept { return method_; }
  /// The method's token, also for methods that are not known.
  [[nodiscard]] std::string_view method_name() const noexcept { return view(0, method_size_); }
  /// The request target as it was sent (RFC 9112 §3.2).
  [[nodiscard]] std::string_view target() const noexcept { return view(target_at_, target_size_); }
  /// The path of the target, not percent-decoded; "*" for the asterisk-form, "/" for an
  /// absolute-form target without a path and for the authority-form (CONNECT).
  [[nodiscard]] std::string_view path() const noexcept {
    return path_size_ == 0 ? std::string_view("/") : view(path_at_, path_size_);
  }
  /// The query without its question mark; "" when there is none.
  [[nodiscard]] std::string_view query() const noexcept { return view(query_at_, query_size_); }
  /// The authority that the request is for: that of an absolute-form target (RFC 9112 §3.2.2) or
  /// an authority-form target, else the Host field's value; "" when there is neither.
  [[nodiscard]] std::string_view authority() const noexcept {
    return view(authority_at_, authority_size_);
  }
  /// The minor version of HTTP/1.x.
  [[nodiscard]] unsigned minor_version() const noexcept { return minor_version_; }

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

  /// The bytes of the whole head, request line to empty line.
  [[nodiscard]] std::string_view bytes() const noexcept { return view(0, size_); }
  /// Points all views into `base`, where the caller has put a copy of bytes().
  void rebase(const char* base) noexcept { base_ = base; }
  /// Becomes a copy of `other`'s index; costs its number of fields, not the table's size.
  void assign(const RequestHead& other) noexcept;

 private:
  friend class RequestHeadParser;

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

  const char* base_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t target_at_ = 0, target_size_ = 0;
  std::uint32_t path_at_ = 0, path_size_ = 0;
  std::uint32_t query_at_ = 0, query_size_ = 0;
  std::uint32_t authority_at_ = 0, authority_size_ = 0;
  std::uint32_t present_ = 0;  // one bit a FieldId
  std::uint16_t field_count_ = 0;
  std::uint16_t method_size_ = 0;
  Method method_ = Method::unknown;
  std::uint8_t minor_version_ = 1;
  Field fields_[limits::field_count];
};

}  // namespace squall::http
