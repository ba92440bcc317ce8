// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"
#include "http/ascii.hpp"
#include "http/form.hpp"
#include "http/multipart.hpp"
#include "web/exchange.hpp"
#include "web/form_reader.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

// Arguments of the query, and of forms: urlencoded, or multipart with files.
namespace squall::web {
namespace {

void parse_into(std::string_view encoded, Exchange::Arguments& out) {
  const Result<void> parsed = http::parse_form(encoded, out);
  if (!parsed) throw HTTPError(400, parsed.error().message());
}

bool is_form(std::string_view content_type) noexcept {
  constexpr std::string_view form = "application/x-www-form-urlencoded";
  return http::ascii::equal(content_type.substr(0, form.size()), form) &&
         (content_type.size() == form.size() || content_type[form.size()] == ';' ||
          content_type[form.size()] == ' ');
}

// The body is in memory already, and so its files may be.
std::unique_ptr<FormReader> parse_multipart(std::string_view content_type, std::string_view body) {
  FormReader::Options options;
  options.memory_bytes = body.size();
  options.max_values_bytes = body.size();
  auto form = FormReader::create(content_type, options);
  if (!form) throw HTTPError(status_for_form(form.error()), form.error().message());
  Result<void> done = (*form)->feed(body);
  if (done) done = (*form)->end();
  if (!done) throw HTTPError(status_for_form(done.error()), done.error().message());
  return std::move(*form);
}

// Tornado's rules: UTF-8, control characters become spaces, white space around goes.
std::string clean(std::string_view name, std::string_view value, Strip strip) {
  if (!is_utf8(value)) throw HTTPError(400, "argument " + std::string(name) + " is not UTF-8");
  std::string text(value);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x08 || (byte >= 0x0e && byte <= 0x1f)) c = ' ';
  }
  if (!strip) return text;
  constexpr std::string_view blank = " \t\n\r\v\f";
  const std::size_t begin = text.find_first_not_of(blank);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

void collect(const Exchange::Arguments& from, std::string_view name, Strip strip,
             std::vector<std::string>& out) {
  for (const auto& [key, value] : from) {
    if (key == name) out.push_back(clean(name, value, strip));
  }
}

const std::string* last_of(const Exchange::Arguments& from, std::string_view name) noexcept {
  const std::string* found = nullptr;
  for (const auto& [key, value] : from) {
    if (key == name) found = &value;
  }
  return found;
}

std::string required(std::string_view name, const std::string* value, Strip strip) {
  if (value == nullptr) throw MissingArgumentError(name);
  return clean(name, *value, strip);
}
std::string or_default(std::string_view name, const std::string* value,
                       std::string_view default_value, Strip strip) {
  return value == nullptr ? std::string(default_value) : clean(name, *value, strip);
}

const std::string* last_of_both(Exchange& exchange, std::string_view name) {
  const std::string* const in_body = last_of(exchange.body_arguments(), name);
  return in_body != nullptr ? in_body : last_of(exchange.query_arguments(), name);
}

}  // namespace

const Exchange::Arguments& Exchange::query_arguments() {
  if (!query_arguments_) {
    query_arguments_.emplace();
    parse_into(head_->query(), *query_arguments_);
  }
  return *query_arguments_;
}

const Exchange::Arguments& Exchange::body_arguments() {
  if (!body_arguments_) {
    const std::string_view content_type = head_->field(http::FieldId::content_type);
    const bool multipart = http::is_multipart_form(content_type);
    Arguments arguments;
    if ((multipart || is_form(content_type)) && !body().empty()) {
      if (head_->has("Content-Encoding") && !(intake_ && intake_->is_decoded())) {
        throw HTTPError(415, "a form body with a Content-Encoding");
      }
      if (multipart) {
        const auto form = parse_multipart(content_type, body());
        arguments = std::move(form->arguments());
        files_ = std::move(form->files());
      } else {
        parse_into(body(), arguments);
      }
    }
    body_arguments_ = std::move(arguments);
  }
  return *body_arguments_;
}

std::vector<HTTPFile>& Exchange::files() {
  static_cast<void>(body_arguments());
  return files_;
}

std::vector<HTTPFile*> Exchange::files(std::string_view name) {
  std::vector<HTTPFile*> found;
  for (HTTPFile& file : files()) {
    if (file.name == name) found.push_back(&file);
  }
  return found;
}

std::vector<HTTPFile>& HTTPServerRequest::files() const { return exchange_.files(); }
std::vector<HTTPFile*> HTTPServerRequest::files(std::string_view name) const {
  return exchange_.files(name);
}
std::vector<HTTPFile*> RequestHandler::files(std::string_view name) const {
  return exchange().files(name);
}

std::string RequestHandler::get_argument(std::string_view name, Strip strip) {
  return required(name, last_of_both(exchange(), name), strip);
}
std::string RequestHandler::get_argument(std::string_view name, std::string_view default_value,
                                         Strip strip) {
  return or_default(name, last_of_both(exchange(), name), default_value, strip);
}
std::vector<std::string> RequestHandler::get_arguments(std::string_view name, Strip strip) {
  std::vector<std::string> values;
  collect(exchange().query_arguments(), name, strip, values);
  collect(exchange().body_arguments(), name, strip, values);
  return values;
}

std::string RequestHandler::get_query_argument(std::string_view name, Strip strip) {
  return required(name, last_of(exchange().query_arguments(), name), strip);
}
std::string RequestHandler::get_query_argument(std::string_view name,
                                               std::string_view default_value, Strip strip) {
  return or_default(name, last_of(exchange().query_arguments(), name), default_value, strip);
}
std::vector<std::string> RequestHandler::get_query_arguments(std::string_view name, Strip strip) {
  std::vector<std::string> values;
  collect(exchange().query_arguments(), name, strip, values);
  return values;
}

std::string RequestHandler::get_body_argument(std::string_view name, Strip strip) {
  return required(name, last_of(exchange().body_arguments(), name), strip);
}
std::string RequestHandler::get_body_argument(std::string_view name, std::string_view default_value,
                                              Strip strip) {
  return or_default(name, last_of(exchange().body_arguments(), name), default_value, strip);
}
std::vector<std::string> RequestHandler::get_body_arguments(std::string_view name, Strip strip) {
  std::vector<std::string> values;
  collect(exchange().body_arguments(), name, strip, values);
  return values;
}

}  // namespace squall::web
