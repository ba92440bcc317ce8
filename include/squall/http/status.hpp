// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace squall::http {

/// The reason phrase of a status code in the IANA registry (RFC 9110 §15 and others); "Unknown"
/// for any other number.
[[nodiscard]] std::string_view reason_phrase(unsigned status) noexcept;

/// Whether a response of that status never has a body: 1xx, 204, 304 (RFC 9112 §6.3).
[[nodiscard]] constexpr bool bodiless(unsigned status) noexcept {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

}  // namespace squall::http
