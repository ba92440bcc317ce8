// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/log.hpp>

#include <fmt/format.h>

#include <utility>

namespace squall::log {

/// Formats and writes a line; nothing is formatted when the level is off.
template <class... Args>
void format(Level level, std::string_view channel, fmt::format_string<Args...> text,
            Args&&... args) noexcept {
  if (!is_on(level, channel)) return;
  try {
    fmt::memory_buffer buffer;
    fmt::format_to(fmt::appender(buffer), text, std::forward<Args>(args)...);
    write(level, channel, std::string_view(buffer.data(), buffer.size()));
  } catch (...) {  // the same rule as write()
  }
}

}  // namespace squall::log
