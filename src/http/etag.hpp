// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace squall::http {

/// Evaluates If-None-Match (RFC 9110 §13.1.2): true when no tag in the field's value matches
/// `etag` and the response is to be sent; false when one does, which answers GET and HEAD with
/// 304 and other methods with 412. Tags are compared weakly, so `W/` does not count.
///
/// `etag` is that of what would be sent, with its quotes. `*` matches anything that exists. Of a
/// malformed list, what stands before the fault counts. Linear, no allocation.
[[nodiscard]] bool none_match(std::string_view if_none_match, std::string_view etag) noexcept;

}  // namespace squall::http
