// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/log.hpp>

#include <cstdint>
#include <string>

namespace squall::log {

/// Adds `2026-01-02T03:04:05.678901Z` (RFC 3339) for microseconds since 1970.
void append_time(std::string& out, std::int64_t microseconds);

/// Adds a line as one JSON object and a line feed (RFC 8259; the text is UTF-8 whatever came in).
void append_json(std::string& out, const Line& line, std::int64_t microseconds);

}  // namespace squall::log
