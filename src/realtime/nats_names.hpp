// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace squall::realtime {

/// A channel's name as one token of a NATS subject: what a token cannot hold (dots, spaces,
/// wildcards, control characters, all beyond ASCII) is written as `=` and two hexadecimal digits.
[[nodiscard]] std::string nats_token(std::string_view channel);

/// Throws UsageError unless it is tokens of letters, digits, `-` and `_` with dots between them.
void check_nats_prefix(std::string_view prefix);

}  // namespace squall::realtime
