// SPDX-License-Identifier: Apache-2.0
#include "web/debug_page.hpp"
#include "web/exchange.hpp"

#include <squall/base/error.hpp>
#include <squall/http/status.hpp>
#include <squall/web/request_handler.hpp>

#include <string>
#include <utility>

namespace squall::web {
namespace {

// What a Location may hold; the rest is percent-encoded (RFC 3986 §2).
std::string safe_url(std::string_view url) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(url.size());
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\' && c != '^' &&
        c != '`' && c != '{' && c != '|' && c != '}') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
  }
  return out;
}

}  // namespace

RequestHandler::~RequestHandler() = default;

Exchange& RequestHandler::exchange() const {
  if (exchange_ == nullptr) {
    throw UsageError(
        "this handler has no request now: not in its constructor, and for a WebSocket only until "
        "open() has ended, unless it called keep_request()");
  }
  return *exchange_;
}

Task<> RequestHandler::prepare() { return {}; }
void RequestHandler::on_finish() {}
Task<> RequestHandler::data_received(std::string_view) { return {}; }
void RequestHandler::on_connection_close() {}
void RequestHandler::on_shutdown() {}
bool RequestHandler::cancel_on_disconnect() const noexcept { return true; }
void RequestHandler::set_default_headers() {}

void RequestHandler::write_error(int status, std::exception_ptr error) {
  const std::string_view phrase = http::reason_phrase(static_cast<unsigned>(status));
  const std::string title = std::to_string(status) + " " + std::string(phrase);
  if (settings().debug) {
    write_debug_page(*this, title, error);
    return;
  }
  write("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
  write(title);
  write("</title></head><body><h1>");
  write(title);
  write("</h1></body></html>\n");
}

const HTTPServerRequest& RequestHandler::request() const { return exchange().request(); }

std::string_view RequestHandler::path_argument(std::string_view name) const {
  const RouteTarget* const target = exchange().target();
  if (target != nullptr) {
    for (std::size_t i = 0; i < target->names.size(); ++i) {
      if (target->names[i] == name) return exchange().path_arguments().values[i];
    }
  }
  throw UsageError("this route has no path argument \"" + std::string(name) + "\"");
}

void RequestHandler::set_status(int status, std::string_view reason) {
  exchange().set_status(status, reason);
}
int RequestHandler::get_status() const { return exchange().status(); }
void RequestHandler::set_header(std::string_view name, std::string_view value) {
  exchange().set_header(name, value);
}
void RequestHandler::set_header(std::string_view name, std::int64_t value) {
  exchange().set_header(name, std::to_string(value));
}
void RequestHandler::add_header(std::string_view name, std::string_view value) {
  exchange().add_header(name, value);
}
void RequestHandler::clear_header(std::string_view name) { exchange().clear_header(name); }
std::string_view RequestHandler::get_header(std::string_view name) const {
  return exchange().header(name);
}

void RequestHandler::write(std::string_view chunk) { exchange().body_out() += chunk; }

OutputAwaiter RequestHandler::flush() {
  exchange().flush();
  return OutputAwaiter(exchange_->is_closed() ? nullptr : exchange_);
}

void RequestHandler::set_compression(bool wanted) { exchange().set_compression(wanted); }

void RequestHandler::finish() { exchange().finish(); }
bool RequestHandler::is_finished() const noexcept {
  return exchange_ == nullptr || exchange_->is_finished();
}

void RequestHandler::redirect(std::string_view url, bool permanent, int status) {
  if (exchange().head_is_written()) {
    throw UsageError("redirect() after flush(): the headers have left already");
  }
  if (status == 0) status = permanent ? 301 : 302;
  if (status < 300 || status > 399) throw UsageError("a redirect has a status of 300 to 399");
  set_status(status);
  set_header("Location", safe_url(url));
  finish();
}

void RequestHandler::send_error(int status) { exchange().send_error(status, nullptr); }
void RequestHandler::clear() { exchange().clear(); }

Application& RequestHandler::application() const {
  return exchange().worker().application().application;
}
const Settings& RequestHandler::settings() const {
  return exchange().worker().application().settings;
}
StopToken RequestHandler::stop_token() const { return exchange().stop_token(); }

}  // namespace squall::web
