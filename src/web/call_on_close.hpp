// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/logging.hpp"

#include <exception>

namespace squall::web {

/// Calls a handler's on_close(), if it has one. It is the handler's last call and nobody waits for
/// it, so what it throws goes to the log.
template <class Handler>
void call_on_close(void (*on_close)(Handler&), Handler& handler) noexcept {
  if (on_close == nullptr) return;
  try {
    on_close(handler);
  } catch (const std::exception& what) {
    log::format(log::Level::error, "app", "on_close threw: {}", what.what());
  } catch (...) {
    log::write(log::Level::error, "app", "on_close threw something unknown");
  }
}

}  // namespace squall::web
