// SPDX-License-Identifier: Apache-2.0
#include "http/preconditions.hpp"

#include "http/ascii.hpp"
#include "http/date.hpp"
#include "http/etag.hpp"

#include <cstddef>

namespace squall::http {
namespace {

using Equal = bool (*)(std::string_view, std::string_view) noexcept;

/// Whether the tag lists of all lines of field `id` have the representation.
bool lists(const RequestHead& head, FieldId id, const Validators& current, Equal equal) noexcept {
  if (!current.exists) return false;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (head.field_id(i) != id) continue;
    EntityTagReader reader(head.field_value(i));
    if (reader.is_any()) return true;
    if (current.etag.empty()) continue;
    while (reader.next()) {
      if (equal(reader.tag(), current.etag)) return true;
    }
  }
  return false;
}

std::optional<std::int64_t> date_of(const RequestHead& head, FieldId id,
                                    std::int64_t now) noexcept {
  if (!head.has(id)) return {};
  return parse_http_date(ascii::trim(head.field(id)), now);
}

}  // namespace

bool if_none_match_lists(const RequestHead& head, const Validators& current) noexcept {
  return lists(head, FieldId::if_none_match, current, &weakly_equal);
}

bool is_conditional(const RequestHead& head) noexcept {
  return head.has_any<FieldId::if_match, FieldId::if_none_match, FieldId::if_modified_since,
                      FieldId::if_unmodified_since, FieldId::range>();
}

Precondition evaluate_preconditions(const RequestHead& head, const Validators& current,
                                    std::int64_t now) noexcept {
  const bool reads = head.method() == Method::get || head.method() == Method::head;
  if (head.has(FieldId::if_match)) {
    if (!lists(head, FieldId::if_match, current, &strongly_equal)) return Precondition::failed;
  } else if (current.exists && current.last_modified) {
    const auto since = date_of(head, FieldId::if_unmodified_since, now);
    if (since && *current.last_modified > *since) return Precondition::failed;
  }
  if (head.has(FieldId::if_none_match)) {
    if (if_none_match_lists(head, current)) {
      return reads ? Precondition::not_modified : Precondition::failed;
    }
  } else if (reads && current.exists && current.last_modified) {
    // A date in the future is not valid (RFC 9110 §13.1.3), but nothing is newer than it either:
    // comparing with it is what clients with fast clocks need.
    const auto since = date_of(head, FieldId::if_modified_since, now);
    if (since && *current.last_modified <= *since) return Precondition::not_modified;
  }
  return Precondition::proceed;
}

bool if_range_holds(const RequestHead& head, const Validators& current, std::int64_t now) noexcept {
  if (!head.has(FieldId::if_range)) return true;
  const std::string_view value = ascii::trim(head.field(FieldId::if_range));
  if (is_entity_tag(value)) return strongly_equal(value, current.etag);
  const auto date = parse_http_date(value, now);
  return date && current.last_modified && *date == *current.last_modified && *date + 1 <= now;
}

}  // namespace squall::http
