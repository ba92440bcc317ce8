// SPDX-License-Identifier: Apache-2.0
#include "web/access_log.hpp"

#include "base/logging.hpp"
#include "web/exchange.hpp"

namespace squall::web {

void log_request(const Exchange& exchange, const RequestHandler& handler) noexcept {
  const Settings& settings = handler.settings();
  if (settings.log_function != nullptr) {
    try {
      settings.log_function(handler);
    } catch (const std::exception& error) {
      log::format(log::Level::error, "app", "log_function threw: {}", error.what());
    }
    return;
  }
  if (!settings.access_log) return;
  const int status = exchange.status();
  const log::Level level = status < 400   ? log::Level::info
                           : status < 500 ? log::Level::warning
                                          : log::Level::error;
  if (!log::is_on(level)) return;
  const http::RequestHead& head = exchange.head();
  log::format(level, "access", "{} {} {} ({}) {:.2f}ms", status, head.method_name(), head.target(),
              exchange.client().ip(), static_cast<double>(exchange.elapsed_ns()) / 1e6);
}

}  // namespace squall::web
