// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/log.hpp>

#include <spdlog/common.h>

namespace squall::log {

/// `[I 260102 03:04:05 channel] message`: what stands in the brackets is coloured.
inline constexpr const char* text_pattern = "%^[%L %C%m%d %H:%M:%S %n]%$ %v";

spdlog::level::level_enum to_spdlog(Level level) noexcept;

/// The terminal sequence of Tornado's colour of a level: blue, green, yellow, red.
spdlog::string_view_t colour_of(Level level) noexcept;

/// Whether lines on standard error are coloured unless told otherwise: on a terminal that knows
/// colours, where the user has not set NO_COLOR.
bool console_has_colours() noexcept;

}  // namespace squall::log
