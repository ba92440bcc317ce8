// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/log.hpp>

namespace squall::log {

/// Where lines go: to `line_sink`, else to `sink`, else to the console.
struct SinkSetting {
  Sink sink = nullptr;
  LineSink line_sink = nullptr;
  void* context = nullptr;
};

/// Sets where lines go and tells where they went.
SinkSetting exchange_sinks(const SinkSetting& setting) noexcept;

/// Writes a line to what `setting` says, whatever its level.
void deliver(const SinkSetting& setting, const Line& line) noexcept;

}  // namespace squall::log
