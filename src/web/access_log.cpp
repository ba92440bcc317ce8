// SPDX-License-Identifier: Apache-2.0
#include "web/access_log.hpp"

#include "base/logging.hpp"
#include "web/exchange.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string>

namespace squall::web {

void log_request(const Exchange& exchange, const RequestHandler& handler) noexcept {
  const Settings& settings = handler.settings();
  if (settings.log_function) {
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
  try {
    static const log::Channel& channel = log::channel("access");
    if (!channel.is_on(level)) return;
    const http::RequestHead& head = exchange.head();
    const std::string ip = exchange.client().ip();
    const double milliseconds = static_cast<double>(exchange.elapsed_ns()) / 1e6;
    fmt::memory_buffer message;
    fmt::format_to(fmt::appender(message), "{} {} {} ({}) {:.2f}ms", status, head.method_name(),
                   head.target(), ip, milliseconds);
    const std::string& id = exchange.request_id();
    const log::Field fields[] = {
        {"status", status}, {"method", head.method_name()}, {"uri", head.target()},
        {"remote_ip", ip},  {"duration_ms", milliseconds},  {"request_id", id}};
    log::write({.level = level,
                .channel = channel.name(),
                .message = {message.data(), message.size()},
                .fields = fields,
                .field_count = std::size(fields) - (id.empty() ? 1 : 0),
                .message_has_fields = true});
  } catch (...) {  // a log that cannot be written must not end the program
  }
}

}  // namespace squall::web
