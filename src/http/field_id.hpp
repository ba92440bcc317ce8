// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/http/request_head.hpp>

#include <cstdint>
#include <cstring>

namespace squall::http {
namespace detail {

template <class Word>
inline bool same_word(const char* name, const char* lower) noexcept {
  Word left, right;
  std::memcpy(&left, name, sizeof(Word));
  std::memcpy(&right, lower, sizeof(Word));
  // 0x20 in each byte folds letters. Of the bytes of a token only letters fold onto letters, and
  // none folds onto `-`.
  return (left | static_cast<Word>(0x2020202020202020)) == right;
}

/// Whether the token at `name`, as long as the literal, equals it but for case.
template <std::size_t N>
inline bool same_name(const char* name, const char (&lower)[N]) noexcept {
  constexpr std::size_t size = N - 1;
  if constexpr (size > 16) {
    return same_word<std::uint64_t>(name, lower) && same_word<std::uint64_t>(name + 8, lower + 8) &&
           same_word<std::uint64_t>(name + size - 8, lower + size - 8);
  } else if constexpr (size >= 8) {
    return same_word<std::uint64_t>(name, lower) &&
           same_word<std::uint64_t>(name + size - 8, lower + size - 8);
  } else {
    static_assert(size >= 4);
    return same_word<std::uint32_t>(name, lower) &&
           same_word<std::uint32_t>(name + size - 4, lower + size - 4);
  }
}

}  // namespace detail

/// The id of a field name; `name` is a token. By length first: most names end there.
inline FieldId field_id(const char* name, std::size_t size) noexcept {
  using detail::same_name;
  const auto if_same = [](bool same, FieldId id) { return same ? id : FieldId::other; };
  switch (size) {
    case 4:
      return if_same(same_name(name, "host"), FieldId::host);
    case 5:
      return if_same(same_name(name, "range"), FieldId::range);
    case 6:
      if (same_name(name, "cookie")) return FieldId::cookie;
      if (same_name(name, "expect")) return FieldId::expect;
      return if_same(same_name(name, "origin"), FieldId::origin);
    case 7:
      return if_same(same_name(name, "upgrade"), FieldId::upgrade);
    case 8:
      if (same_name(name, "if-match")) return FieldId::if_match;
      return if_same(same_name(name, "if-range"), FieldId::if_range);
    case 10:
      return if_same(same_name(name, "connection"), FieldId::connection);
    case 12:
      return if_same(same_name(name, "content-type"), FieldId::content_type);
    case 13:
      return if_same(same_name(name, "if-none-match"), FieldId::if_none_match);
    case 14:
      return if_same(same_name(name, "content-length"), FieldId::content_length);
    case 17:
      if (same_name(name, "transfer-encoding")) return FieldId::transfer_encoding;
      return if_same(same_name(name, "if-modified-since"), FieldId::if_modified_since);
    case 19:
      return if_same(same_name(name, "if-unmodified-since"), FieldId::if_unmodified_since);
    default:
      return FieldId::other;
  }
}

}  // namespace squall::http
