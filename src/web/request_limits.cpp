// SPDX-License-Identifier: Apache-2.0
#include "web/exchange.hpp"

#include <squall/base/error.hpp>

// Limits of one request in place of the application's.
namespace squall::web {

const server::BodyLimits& Exchange::body_limits() const {
  if (!intake_ || intake_->stream() == nullptr || intake_->has_begun()) {
    throw UsageError(
        "limits of the body are set in prepare() of a handler that streams it (with "
        "stream_request_body or data_received()): here the body has been read already");
  }
  return body_limits_;
}

void Exchange::set_body_limits(const server::BodyLimits& limits) {
  body_limits_ = limits;
  if (writer_ != nullptr) writer_->set_body_limits(limits);
}

void Exchange::set_write_timeout(Duration timeout) {
  if (timeout <= Duration()) throw UsageError("a write timeout is longer than nothing");
  if (writer_ != nullptr) writer_->set_write_timeout(timeout);
}

void RequestHandler::set_max_body_size(std::uint64_t bytes) {
  server::BodyLimits limits = exchange().body_limits();
  limits.max_bytes = bytes;
  exchange().set_body_limits(limits);
}

void RequestHandler::set_body_timeout(Duration timeout) {
  if (timeout <= Duration()) throw UsageError("a body timeout is longer than nothing");
  server::BodyLimits limits = exchange().body_limits();
  limits.timeout = timeout;
  exchange().set_body_limits(limits);
}

void RequestHandler::set_min_body_rate(std::uint32_t bytes_a_second) {
  server::BodyLimits limits = exchange().body_limits();
  limits.min_rate = bytes_a_second;
  exchange().set_body_limits(limits);
}

void RequestHandler::set_write_timeout(Duration timeout) { exchange().set_write_timeout(timeout); }

}  // namespace squall::web
