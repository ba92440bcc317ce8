// SPDX-License-Identifier: Apache-2.0
#include "http/ascii.hpp"
#include "web/exchange.hpp"
#include "web/json_text.hpp"

#include <squall/base/error.hpp>
#include <squall/json.hpp>

#include <string>

namespace squall::web {
namespace {

bool is_json(std::string_view content_type) noexcept {
  const std::string_view type = http::ascii::trim(content_type.substr(0, content_type.find(';')));
  return http::ascii::equal(type, "application/json") ||
         (type.size() > 5 && http::ascii::equal(type.substr(type.size() - 5), "+json"));
}

template <class T>
void write_document(Exchange& exchange, const T& document) {
  append_json(exchange.body_out(), document);
  exchange.set_header("Content-Type", "application/json; charset=UTF-8");
}

}  // namespace

void RequestHandler::write_json(const json::value& document) {
  write_document(exchange(), document);
}
void RequestHandler::write_json(const json::object& document) {
  write_document(exchange(), document);
}
void RequestHandler::write_json(const json::array& document) {
  write_document(exchange(), document);
}

json::value RequestHandler::json_body() const {
  const Exchange& from = exchange();
  const std::string_view type = from.head().field(http::FieldId::content_type);
  if (!type.empty() && !is_json(type)) throw HTTPError(415, "the body is not JSON");
  boost::system::error_code error;
  json::value document = json::parse(from.body(), error);
  if (error) throw HTTPError(400, "the body is not JSON: " + error.message());
  return document;
}

}  // namespace squall::web

namespace squall {

std::string json_encode(const json::value& document) {
  std::string text;
  web::append_json(text, document);
  for (std::size_t at = text.find("</"); at != std::string::npos; at = text.find("</", at + 3)) {
    text.insert(at + 1, 1, '\\');
  }
  return text;
}

json::value json_decode(std::string_view text) {
  boost::system::error_code error;
  json::value document = json::parse(text, error);
  if (error) throw Error("the text is no JSON: " + error.message());
  return document;
}

}  // namespace squall
