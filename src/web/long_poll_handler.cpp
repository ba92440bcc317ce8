// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "base/number.hpp"
#include "web/exchange.hpp"
#include "web/hub_forms.hpp"

#include <squall/base/error.hpp>
#include <squall/realtime/hub.hpp>
#include <squall/web/long_poll_handler.hpp>

#include <algorithm>
#include <optional>

namespace squall::web {
namespace {

// Nothing when it is no such number.
std::optional<double> number_of(std::string_view text) noexcept {
  double value = 0;
  if (!read_number(text, value) || !(value >= 0)) return {};
  return value;
}

}  // namespace

std::string LongPollHandler::channel() { return get_query_argument("channel"); }
std::string LongPollHandler::user() { return {}; }

Task<> LongPollHandler::get() {
  const std::string name = channel();
  const std::string who = user();
  const std::string cursor = get_query_argument("cursor", {});
  const std::string seconds = get_query_argument("timeout", {});
  const std::string count = get_query_argument("limit", {});
  const std::optional<realtime::Position> since = realtime::Position::parse(cursor);
  const std::optional<double> wanted_seconds = number_of(seconds);
  const std::optional<double> wanted_count = number_of(count);
  if (!since && !cursor.empty()) {
    refuse(400, "bad_request", "the cursor is no position");
    co_return;
  }
  if ((!seconds.empty() && !wanted_seconds) || (!count.empty() && !wanted_count)) {
    refuse(400, "bad_request", "timeout and limit are numbers");
    co_return;
  }
  realtime::PollOptions options;
  options.timeout = options_.timeout;
  options.limit = options_.max_messages;
  options.user = who;
  if (wanted_seconds) {
    const double most = options_.max_timeout.seconds();
    options.timeout = Duration::from_nanoseconds(
        static_cast<std::int64_t>(std::min(*wanted_seconds, most) * 1e9));
  }
  if (wanted_count) {
    options.limit = static_cast<std::size_t>(
        std::clamp(*wanted_count, 1.0, static_cast<double>(options_.max_messages)));
  }
  if (since) cursor_ = *since;
  if (exchange().worker().server().is_draining()) options.timeout = Duration();

  std::error_code error;
  try {
    waiting_ = true;
    const realtime::PollResult result = co_await hub_.poll(name, cursor_, options);
    waiting_ = false;
    if (is_finished()) co_return;  // by on_shutdown(), in the same turn
    std::string messages;
    for (const realtime::PublicationRef& publication : result.publications) {
      if (!messages.empty()) messages += ',';
      append_message(messages, *publication);
    }
    answer(result.position, result.recovered, messages);
  } catch (const realtime::HubError& failure) {
    error = failure.code();
  } catch (const CancelledError&) {
    if (!is_finished()) throw;  // on_shutdown() has answered otherwise
  }
  waiting_ = false;
  if (error) refuse(error_status(error), error_word(error), error.message());
}

void LongPollHandler::answer(const realtime::Position& position, bool recovered,
                             std::string_view messages) {
  set_header("Content-Type", "application/json");
  set_header("Cache-Control", "no-store");
  write("{\"position\":");
  std::string text;
  append_json_string(text, position.to_string());
  write(text);
  write(recovered ? ",\"recovered\":true,\"messages\":[" : ",\"recovered\":false,\"messages\":[");
  write(messages);
  write("]}\n");
  finish();
}

void LongPollHandler::refuse(int status, std::string_view code, std::string_view message) {
  set_status(status);
  set_header("Content-Type", "application/json");
  set_header("Cache-Control", "no-store");
  if (status == 503) set_header("Retry-After", "1");
  std::string text = "{\"error\":{\"code\":";
  append_json_string(text, code);
  text += ",\"message\":";
  append_json_string(text, message);
  text += "}}\n";
  finish(text);
}

// The cursor has not moved: the client asks again, of another process by then.
void LongPollHandler::on_shutdown() {
  if (!waiting_ || cursor_.is_empty()) return;
  waiting_ = false;
  Exchange& own = exchange();
  answer(cursor_, true, {});
  own.request_stop();
}

}  // namespace squall::web
