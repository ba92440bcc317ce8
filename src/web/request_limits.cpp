// SPDX-License-Identifier: Apache-2.0
#include "web/exchange.hpp"

#include <squall/base/error.hpp>

// Limits of one request in place of the application's.
namespace squall::web {

void Exchange::set_body_limits(void (*change)(server::BodyLimits& limits, std::uint64_t value),
                               std::uint64_t value) {
  if (body_stream() == nullptr || body_has_begun()) {
    throw UsageError(
        "limits of the body are set in prepare() of a handler that streams it (with "
        "stream_request_body or data_received()): here the body has been read already");
  }
  change(body_limits_, value);
  if (writer_ != nullptr) writer_->set_body_limits(body_limits_);
}

void Exchange::set_write_timeout(Duration timeout) {
  if (timeout <= Duration()) throw UsageError("a write timeout is longer than nothing");
  if (writer_ != nullptr) writer_->set_write_timeout(timeout);
}

void RequestHandler::set_max_body_size(std::uint64_t bytes) {
  exchange().set_body_limits(
      [](server::BodyLimits& limits, std::uint64_t value) { limits.max_bytes = value; }, bytes);
}

void RequestHandler::set_body_timeout(Duration timeout) {
  if (timeout <= Duration()) throw UsageError("a body timeout is longer than nothing");
  exchange().set_body_limits(
      [](server::BodyLimits& limits, std::uint64_t value) {
        limits.timeout = Duration::from_milliseconds(static_cast<std::int64_t>(value));
      },
      static_cast<std::uint64_t>(timeout.milliseconds()));
}

void RequestHandler::set_min_body_rate(std::uint32_t bytes_a_second) {
  exchange().set_body_limits(
      [](server::BodyLimits& limits, std::uint64_t value) {
        limits.min_rate = static_cast<std::uint32_t>(value);
      },
      bytes_a_second);
}

void RequestHandler::set_write_timeout(Duration timeout) { exchange().set_write_timeout(timeout); }

}  // namespace squall::web
