// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

/// Log lines of the library and, if it likes, of the program. By default they go to standard error
/// as
/// `[I 260102 03:04:05 channel] message`, coloured on a terminal.
namespace squall::log {

enum class Level : std::uint8_t { debug, info, warning, error, none };

/// Lines below `level` are dropped. The default is info; any thread may change it.
void set_level(Level level) noexcept;
[[nodiscard]] Level level() noexcept;
[[nodiscard]] bool is_on(Level level) noexcept;

/// Writes one line. Channels in use: "access" (one line a request), "server", "loop", "app".
/// Control characters in `message` are written escaped, so that a client cannot forge lines.
void write(Level level, std::string_view channel, std::string_view message) noexcept;

/// Sends lines to `sink` instead of standard error; nullptr restores the default. It is called
/// on the thread that logs, possibly on several at once, and must not throw.
using Sink = void (*)(void* context, Level level, std::string_view channel,
                      std::string_view message);
void set_sink(Sink sink, void* context) noexcept;

inline void debug(std::string_view message) noexcept { write(Level::debug, "app", message); }
inline void info(std::string_view message) noexcept { write(Level::info, "app", message); }
inline void warning(std::string_view message) noexcept { write(Level::warning, "app", message); }
inline void error(std::string_view message) noexcept { write(Level::error, "app", message); }

}  // namespace squall::log
