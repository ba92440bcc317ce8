// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/http/request_head.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace squall::http {

/// What is known of the representation that a request selects.
struct Validators {
  std::string_view etag = {};                      ///< with its quotes; "" when it has none
  std::optional<std::int64_t> last_modified = {};  ///< seconds since 1970
  bool exists = true;  ///< false for a resource that has no representation yet
};

/// What the conditions of a request lead to.
enum class Precondition : std::uint8_t {
  proceed,       ///< carry it out; also without any condition
  not_modified,  ///< 304: the client has what would be sent (RFC 9110 §15.4.5)
  failed,        ///< 412: it is not what the client believes it to be (RFC 9110 §15.5.13)
};

/// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC
/// 9110 §13.2.2, for any method. To be asked only when the answer would be 2xx otherwise (§13.2.1).
///
/// Fields that occur several times count together. Dates that are none are ignored, and so is
/// everything about dates when `last_modified` is not known. Of a malformed list of tags, what
/// stands before the fault counts. `now` tells two-digit years apart.
[[nodiscard]] Precondition evaluate_preconditions(const RequestHead& head,
                                                  const Validators& current,
                                                  std::int64_t now) noexcept;

/// Whether If-Range lets Range count (RFC 9110 §13.1.5); true without that field.
///
/// A tag must be strongly equal. A date must be the representation's own, to the second, and that
/// is a strong validator only when it lies at least one second before `now`, the response's Date
/// (§8.8.2.2; both are times of this machine's clock): a file may change twice within a second.
[[nodiscard]] bool if_range_holds(const RequestHead& head, const Validators& current,
                                  std::int64_t now) noexcept;

/// Whether If-None-Match has the representation's tag, by the weak comparison, or is `*` (RFC 9110
/// §13.1.2).
[[nodiscard]] bool if_none_match_lists(const RequestHead& head, const Validators& current) noexcept;

/// Whether a request has any field that evaluate_preconditions() or Range handling looks at; a mask
/// test.
[[nodiscard]] bool is_conditional(const RequestHead& head) noexcept;

}  // namespace squall::http
