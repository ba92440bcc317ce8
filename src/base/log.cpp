// SPDX-License-Identifier: Apache-2.0
#include "base/hex.hpp"

#include <squall/base/log.hpp>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace squall::log {
namespace {

std::atomic<Level> current_level{Level::info};

struct SinkSetting {
  Sink sink = nullptr;
  void* context = nullptr;
};
std::mutex sink_mutex;
SinkSetting sink_setting;

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

// Not registered with spdlog: the program may use spdlog in its own way. Leaked on purpose, so that
// destructors of statics may still log.
spdlog::logger& logger() {
  static auto* instance = [] {
    auto* made =
        new spdlog::logger("squall", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_level(spdlog::level::trace);
    made->set_pattern("%^[%L %C%m%d %H:%M:%S%$ %v");
    return made;
  }();
  return *instance;
}

// A client's bytes reach the log (paths, field values): no line breaks, no terminal sequences.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out.push_back(c);
    } else if (c == '\n' || c == '\t') {
      out += c == '\n' ? "\n    " : "\t";  // stack traces: continuation lines are indented
    } else {
      out += "\\x";
      append_hex(out, {&c, 1});
    }
  }
}

}  // namespace

void set_level(Level level) noexcept { current_level.store(level, std::memory_order_relaxed); }

Level level() noexcept { return current_level.load(std::memory_order_relaxed); }

bool is_on(Level level) noexcept { return level >= log::level() && level != Level::none; }

void set_sink(Sink sink, void* context) noexcept {
  const std::scoped_lock lock(sink_mutex);
  sink_setting = {sink, context};
}

void write(Level level, std::string_view channel, std::string_view message) noexcept {
  if (!is_on(level)) return;
  try {
    SinkSetting setting;
    {
      const std::scoped_lock lock(sink_mutex);
      setting = sink_setting;
    }
    if (setting.sink != nullptr) {
      setting.sink(setting.context, level, channel, message);
      return;
    }
    std::string line;
    line.reserve(channel.size() + message.size() + 2);
    line += channel;
    line += "] ";
    append_escaped(line, message);
    logger().log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
  } catch (...) {  // a log that cannot be written must not end the program
  }
}

}  // namespace squall::log
