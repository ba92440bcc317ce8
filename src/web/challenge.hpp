// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace squall::web {

class RequestHandler;

/// What a request's Authorization says for one scheme.
struct Authorization {
  enum class State : std::uint8_t {
    none,       // there is none, or another scheme's
    malformed,  // there are several: which one is meant nobody knows
    present,
  };
  State state = State::none;
  std::string_view text;  // behind the scheme
};
[[nodiscard]] Authorization authorization_of(const RequestHandler& handler,
                                             std::string_view scheme);

/// A quoted-string (RFC 9110 §5.6.4); a UsageError when `text` has control characters.
[[nodiscard]] std::string quoted_string(std::string_view text);

/// Ends the request by an exception, with WWW-Authenticate for each challenge.
[[noreturn]] void end_with_challenges(RequestHandler& handler, int status,
                                      std::span<const std::string> challenges);

}  // namespace squall::web
