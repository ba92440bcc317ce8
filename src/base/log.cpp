// SPDX-License-Identifier: Apache-2.0
#include "base/log_console.hpp"
#include "base/log_sinks.hpp"
#include "base/log_text.hpp"

#include <squall/base/log.hpp>

#include <spdlog/details/log_msg.h>
#include <spdlog/details/os.h>
#include <spdlog/sinks/ansicolor_sink.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <utility>

namespace squall::log {
namespace {

std::mutex sink_mutex;
SinkSetting sink_setting;

// Not registered with spdlog: the program may use spdlog in its own way. Leaked on purpose, so that
// destructors of statics may still log.
spdlog::sinks::sink& console() {
  static auto* const instance = [] {
    auto* const made = new spdlog::sinks::ansicolor_stderr_sink_mt(
        console_has_colours() ? spdlog::color_mode::always : spdlog::color_mode::never);
    for (const Level level : {Level::debug, Level::info, Level::warning, Level::error}) {
      made->set_color(to_spdlog(level), colour_of(level));
    }
    made->set_pattern(text_pattern);
    return made;
  }();
  return *instance;
}

}  // namespace

spdlog::level::level_enum to_spdlog(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    default:
      return spdlog::level::err;
  }
}

spdlog::string_view_t colour_of(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return "\033[34m";
    case Level::info:
      return "\033[32m";
    case Level::warning:
      return "\033[33m";
    default:
      return "\033[31m";
  }
}

bool console_has_colours() noexcept {
  const auto is_set = [](const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  if (is_set("NO_COLOR")) return false;
  // Where it is set a pipe leads to a terminal, as with `squall run --watch`.
  return is_set("CLICOLOR_FORCE") ||
         (spdlog::details::os::in_terminal(stderr) && spdlog::details::os::is_color_terminal());
}

SinkSetting exchange_sinks(const SinkSetting& setting) noexcept {
  const std::scoped_lock lock(sink_mutex);
  return std::exchange(sink_setting, setting);
}

void set_sink(Sink sink, void* context) noexcept {
  exchange_sinks({.sink = sink, .context = context});
}

void set_line_sink(LineSink sink, void* context) noexcept {
  exchange_sinks({.line_sink = sink, .context = context});
}

void write(Level level, std::string_view channel, std::string_view message,
           std::initializer_list<Field> fields) noexcept {
  write({.level = level,
         .channel = channel,
         .message = message,
         .fields = fields.begin(),
         .field_count = fields.size()});
}

void write(const Line& line) noexcept {
  if (!is_on(line.level, line.channel)) return;
  SinkSetting setting;
  {
    const std::scoped_lock lock(sink_mutex);
    setting = sink_setting;
  }
  deliver(setting, line);
}

void deliver(const SinkSetting& setting, const Line& line) noexcept {
  try {
    if (setting.line_sink != nullptr) {
      setting.line_sink(setting.context, line);
    } else if (setting.sink != nullptr && (line.field_count == 0 || line.message_has_fields)) {
      setting.sink(setting.context, line.level, line.channel, line.message);
    } else {
      std::string text;
      append_text(text, line);
      if (setting.sink != nullptr) {
        setting.sink(setting.context, line.level, line.channel, text);
        return;
      }
      const auto view = [](std::string_view s) {
        return spdlog::string_view_t(s.data(), s.size());
      };
      console().log({view(line.channel), to_spdlog(line.level), view(text)});
    }
  } catch (...) {  // a log that cannot be written must not end the program
  }
}

}  // namespace squall::log
