// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/field_id.hpp"
#include "http/head_parser.hpp"
#include "http/scan.hpp"
#include "http/stop_index.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

/// The field lines of a head (RFC 9112 §5), for the parsers of requests and responses, which each
/// compile them into their own.
namespace squall::http {
namespace detail {

// Positions in a head are 32 bits wide.
inline constexpr std::size_t most_head_bytes = std::size_t{1} << 30;

inline std::uint32_t distance(const char* from, const char* to) noexcept {
  return static_cast<std::uint32_t>(to - from);
}

inline bool is_low(char c) noexcept { return static_cast<unsigned char>(c) <= ' '; }

/// Finds stops byte by byte; does what IndexedStops does.
class TableStops {
 public:
  explicit TableStops(const char* end) noexcept : end_(end) {}
  const char* name(const char* at) const noexcept {
    return scan::skip_class(at, end_, ascii::token);
  }
  const char* value(const char*, const char* at) const noexcept {
    return scan::skip_class(at, end_, ascii::value);
  }
  static bool is_plain_host(std::string_view) noexcept { return false; }

 private:
  const char* end_;
};

}  // namespace detail

/// `stops` finds the end of a name or a value from left to right, in [from, end).
/// `take_host(at, size, plain)` is asked about each Host field, before it counts as present.
template <class Finder, class TakeHost>
[[gnu::always_inline]] inline bool HeadParser::parse_fields(Finder& stops, const char*& from,
                                                            const char* end,
                                                            std::size_t field_limit,
                                                            HeadFields& head,
                                                            TakeHost take_host) noexcept {
  // What the loop changes is in variables of its own, and all ways out are breaks: nothing need
  // lie in memory.
  const char* const base = head.base_;
  const char* at = from;
  const char* name = base + name_at_;
  const char* value = base + value_at_;
  HeadFields::Field* field = head.fields_ + head.field_count_;
  const HeadFields::Field* const last_field = head.fields_ + field_limit;
  std::uint32_t present = head.present_;
  Phase phase = phase_;
  bool whole = false;
  for (;; phase = Phase::line_start) {
    if (phase == Phase::line_start) {
      if (at == end) break;
      if (*at == '\r') {
        if (end - at < 2) break;
        whole = at[1] == '\n';
        at += 2;
        if (!whole) refuse(HeadError::bad_line_ending);
        break;
      }
      if (field >= last_field) {
        refuse(HeadError::too_many_fields);
        break;
      }
      if (ascii::is_blank(*at)) {
        refuse(HeadError::obsolete_folding);
        break;
      }
      name = at;
      phase = Phase::field_name;
    }
    if (phase == Phase::field_name) {
      at = stops.name(at);
      if (at - name > std::numeric_limits<std::uint16_t>::max()) {
        refuse(HeadError::head_too_large);
        break;
      }
      if (at == end) break;
      if (*at != ':' || at == name) {
        refuse_line(at, end, HeadError::bad_field_name);
        break;
      }
      value = at + 1;
      phase = Phase::field_value;
      at = stops.value(name, value);
    } else {
      at = stops.value(at, at);
    }
    if (end - at < 2) {
      if (at != end && *at != '\r') refuse_line(at, end, HeadError::bad_field_value);
      break;
    }
    if (at[0] != '\r' || at[1] != '\n') {
      refuse_line(at, end, HeadError::bad_field_value);
      break;
    }
    const char* first = value;
    const char* last = at;
    // Nearly always there is one space before the value and none after it. What else is not above
    // a space is a tab, or the CR of an empty value.
    if (*first == ' ') ++first;
    if (detail::is_low(*first) || detail::is_low(last[-1])) [[unlikely]] {
      while (first != last && ascii::is_blank(*first)) ++first;
      while (first != last && ascii::is_blank(last[-1])) --last;
    }
    field->name_at = detail::distance(base, name);
    field->value_at = detail::distance(base, first);
    field->value_size = detail::distance(first, last);
    field->name_size = static_cast<std::uint16_t>(detail::distance(name, value) - 1);
    field->id = field_id(name, field->name_size);
    const FieldId id = field->id;
    ++field;
    if (id == FieldId::host) {
      head.present_ = present;
      const bool plain = Finder::is_plain_host({first, field[-1].value_size});
      if (!take_host(field[-1].value_at, field[-1].value_size, plain)) {
        refuse(HeadError::bad_host);
        break;
      }
    }
    present |= 1U << static_cast<unsigned>(id);
    at += 2;
  }
  head.present_ = present;
  head.field_count_ = static_cast<std::uint16_t>(field - head.fields_);
  from = at;
  phase_ = phase;
  name_at_ = detail::distance(base, name);
  value_at_ = detail::distance(base, value);
  return whole;
}

/// The same with the best finder of this CPU; `begin` is the first byte that may be read.
template <class TakeHost>
[[gnu::always_inline]] inline bool HeadParser::parse_field_lines(const char* begin,
                                                                 const char*& from, const char* end,
                                                                 std::size_t field_limit,
                                                                 HeadFields& head,
                                                                 TakeHost take_host) noexcept {
  const std::size_t most_fields = std::min(field_limit, limits::field_count);
  if (IndexStops* const indexer = stop_indexer()) {
    IndexedStops stops(indexer, begin, from, end);
    return parse_fields(stops, from, end, most_fields, head, take_host);
  }
  detail::TableStops stops(end);
  return parse_fields(stops, from, end, most_fields, head, take_host);
}

}  // namespace squall::http
