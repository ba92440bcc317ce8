// SPDX-License-Identifier: Apache-2.0
#include "http/trailers.hpp"

#include "http/tokens.hpp"
#include "web/exchange.hpp"

#include <squall/base/error.hpp>
#include <squall/net/stream.hpp>

#include <vector>

// What goes ahead of a response, behind a body, and in place of both: interim responses, trailers,
// other protocols.
namespace squall::web {

std::string_view Exchange::trailer(std::string_view name) const noexcept {
  return trailers_.field(name);
}

void Exchange::add_trailer(std::string_view name, std::string_view value) {
  forbid_after_finish();
  if (!http::is_token(name) || !http::is_trailer_allowed(name)) {
    throw UsageError("\"" + std::string(name) +
                     "\" may not be a trailer (RFC 9110 §6.5.1): set_header() before the body");
  }
  if (!http::is_field_value(value)) {
    throw UsageError("the value of trailer " + std::string(name) +
                     " has a line break or another control character");
  }
  trailers_out_.emplace_back(name, value);
}

void Exchange::send_informational(unsigned status, std::span<const server::ResponseField> fields) {
  forbid_after_finish();
  if (status < 102 || status > 199) {
    throw UsageError("an interim response has a status of 102 to 199, not " +
                     std::to_string(status));
  }
  if (head_written_) throw UsageError("an interim response goes before flush()");
  for (const server::ResponseField& field : fields) check_header(field.name, field.value);
  if (writer_ != nullptr) writer_->write_informational(status, fields);
}

net::Stream Exchange::switch_protocols(std::string_view protocol) {
  forbid_after_finish();
  if (head_written_) throw UsageError("switch_protocols() goes before flush()");
  if (!request_.has_upgrade(protocol)) {
    throw UsageError("the client did not ask for " + std::string(protocol) +
                     ": look at request().has_upgrade() before switch_protocols()");
  }
  if (closed_) throw StreamClosedError();
  clear_header("Content-Type");
  show_upgrade();
  net::Stream stream = writer_->switch_protocols(protocol, response_fields());
  status_ = 101;
  head_written_ = true;
  finished();
  return stream;
}

bool HTTPServerRequest::has_upgrade(std::string_view protocol) const noexcept {
  const http::RequestHead& head = exchange_.head();
  // RFC 9110 §7.8: not in HTTP/1.0, and only when Connection names it.
  return head.minor_version() != 0 && !protocol.empty() &&
         http::has_token(head.field(http::FieldId::connection), "upgrade") &&
         http::has_token(head.field(http::FieldId::upgrade), protocol);
}

net::Stream RequestHandler::switch_protocols(std::string_view protocol) {
  return exchange().switch_protocols(protocol);
}

void RequestHandler::add_trailer(std::string_view name, std::string_view value) {
  exchange().add_trailer(name, value);
}

void RequestHandler::send_informational(
    int status, std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::vector<server::ResponseField> list;
  for (const auto& [name, value] : fields) list.push_back({name, value});
  exchange().send_informational(static_cast<unsigned>(status), list);
}

}  // namespace squall::web
