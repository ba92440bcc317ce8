// SPDX-License-Identifier: Apache-2.0
#include "http/trailers.hpp"

#include "http/tokens.hpp"
#include "web/exchange.hpp"

#include <squall/base/error.hpp>

#include <vector>

// What goes ahead of a response and behind a body: interim responses, trailers.
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
