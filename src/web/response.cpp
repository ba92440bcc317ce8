// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "base/number.hpp"
#include "http/ascii.hpp"
#include "http/tokens.hpp"
#include "web/exchange.hpp"
#include "websocket/handshake.hpp"

#include <squall/base/error.hpp>
#include <squall/http/status.hpp>

#include <utility>

// What an exchange writes: headers, body, the end.
namespace squall::web {
namespace {

// A body of this size is handed over.
constexpr std::size_t hand_over_bytes = 64 * 1024;
// Output that a handler may produce without ever awaiting flush().
constexpr std::size_t unawaited_limit_bytes = 64 * 1024 * 1024;

// By the length first: this is asked of every header.
bool is_validator(std::string_view name) {
  return (name.size() == 4 && http::ascii::equal(name, "Etag")) ||
         (name.size() == 13 && http::ascii::equal(name, "Last-Modified"));
}

}  // namespace

void Exchange::check_header(std::string_view name, std::string_view value) {
  if (!http::is_token(name)) {
    throw UsageError("\"" + std::string(name) + "\" is no header name");
  }
  if (!http::is_field_value(value)) {
    throw UsageError("the value of header " + std::string(name) +
                     " has a line break or another control character");
  }
  if (http::ascii::equal(name, "Transfer-Encoding")) {
    throw UsageError("Transfer-Encoding is the connection's: write and flush, it frames the body");
  }
}

void Exchange::forbid_after_finish() const {
  if (finished_) {
    throw UsageError("the response is finished: write before finish(), redirect() or send_error()");
  }
}

void Exchange::clear() {
  forbid_after_finish();
  if (head_written_) {
    throw UsageError("the head of this response has left already; it cannot be cleared");
  }
  headers_.clear();
  header_text_.clear();
  body_out_.clear();
  cookies_.clear();
  reason_.clear();
  status_ = 200;
  send_server_ = send_date_ = true;
  has_validator_ = false;
  background_.clear();
  put_header("Content-Type", default_content_type);
  const std::string& hsts = worker_.application().hsts;
  if (!hsts.empty() && client_is_secure()) {
    set_header("Strict-Transport-Security", hsts);  // RFC 6797 §7.2: never over plain HTTP
  }
  handler_->set_default_headers();
}

void Exchange::set_status(int status, std::string_view reason) {
  forbid_after_finish();
  if (status < 200 || status > 999) {
    throw UsageError("a final status is 200 to 999, not " + std::to_string(status));
  }
  status_ = static_cast<unsigned>(status);
  const bool fits = http::is_field_value(reason) && reason.find('<') == std::string_view::npos;
  reason_.assign(fits ? reason : "Unknown");
}

void Exchange::forbid_after_head() const {
  forbid_after_finish();
  if (head_written_) throw UsageError("the headers have left already with flush()");
}

// Of a name and a value that are known to be good.
void Exchange::put_header(std::string_view name, std::string_view value) {
  const auto at = static_cast<std::uint32_t>(header_text_.size());
  header_text_ += name;
  header_text_ += value;
  const auto name_size = static_cast<std::uint32_t>(name.size());
  if (is_validator(name)) has_validator_ = true;
  headers_.push_back({at, name_size, at + name_size, static_cast<std::uint32_t>(value.size())});
}

void Exchange::drop_header(std::string_view name) noexcept {
  std::erase_if(headers_, [&](const Header& header) {
    return http::ascii::equal(text(header.name_at, header.name_size), name);
  });
  if (http::ascii::equal(name, "Server")) send_server_ = false;
  if (http::ascii::equal(name, "Date")) send_date_ = false;
}

void Exchange::add_header(std::string_view name, std::string_view value) {
  forbid_after_head();
  check_header(name, value);
  put_header(name, value);
}

void Exchange::set_header(std::string_view name, std::string_view value) {
  forbid_after_head();
  check_header(name, value);  // before the old one goes
  drop_header(name);
  put_header(name, value);
}

void Exchange::clear_header(std::string_view name) {
  forbid_after_head();
  drop_header(name);
}

std::string_view Exchange::header(std::string_view name) const noexcept {
  for (const Header& entry : headers_) {
    if (http::ascii::equal(text(entry.name_at, entry.name_size), name)) {
      return text(entry.value_at, entry.value_size);
    }
  }
  return {};
}

void Exchange::set_cookie(std::string key, std::string line) {
  forbid_after_head();
  for (auto& [known, value] : cookies_) {
    if (known == key) {
      value = std::move(line);
      return;
    }
  }
  cookies_.emplace_back(std::move(key), std::move(line));
}

std::string& Exchange::body_out() {
  forbid_after_finish();
  return body_out_;
}

std::span<const server::ResponseField> Exchange::response_fields() {
  fields_.clear();
  for (const Header& entry : headers_) {
    fields_.push_back(
        {text(entry.name_at, entry.name_size), text(entry.value_at, entry.value_size)});
  }
  for (const auto& [key, line] : cookies_) fields_.push_back({"Set-Cookie", line});
  return fields_;
}

// What the handler says of its body; UsageError when that is no number.
std::optional<std::uint64_t> Exchange::announced_length() const {
  const std::string_view text = header("Content-Length");
  if (text.empty()) return {};
  std::uint64_t length = 0;
  if (!read_number(text, length)) throw UsageError("Content-Length is no number");
  return length;
}

// What is large is handed over instead of copied.
void Exchange::send_body(std::string& bytes) {
  if (bytes.size() > hand_over_bytes) {
    writer_->write_owned(std::move(bytes));
  } else {
    writer_->write_body(bytes);
  }
}

// With `last`, body_out_ is all there is.
void Exchange::write_head(bool last) {
  if (chain_ != nullptr) show_head();
  if (last && worker_.application().autoreload && takes_reload_script()) add_reload_script();
  if (may_be_coded()) prepare_coding(last);
  server::ResponseHead head;
  head.status = status_;
  head.reason = reason_;
  head.send_server = send_server_;
  head.send_date = send_date_;
  const bool bodiless = http::bodiless(status_);
  if (bodiless && !body_out_.empty()) {
    throw UsageError("a response of status " + std::to_string(status_) + " has no body");
  }
  if (bodiless) clear_header("Content-Type");
  head.content_length = announced_length();
  if (head.content_length) clear_header("Content-Length");
  if (http::has_token(header("Connection"), "close")) {
    head.close = true;
    clear_header("Connection");
  }
  head.fields = response_fields();
  server::ResponseWriter* const writer = writer_;
  if (last && head.content_length && !bodiless && head_->method() != http::Method::head &&
      *head.content_length != body_out_.size()) {
    throw UsageError("the body has " + std::to_string(body_out_.size()) +
                     " bytes, but Content-Length says " + std::to_string(*head.content_length));
  }
  head_written_ = true;
  if (coder_) {
    writer->write_head(head, {}, false);
    code_body(last);
    return;
  }
  if (body_out_.size() <= hand_over_bytes) {
    writer->write_head(head, body_out_, last);
  } else {
    if (last && !head.content_length) head.content_length = body_out_.size();
    writer->write_head(head, {}, false);
    writer->write_owned(std::move(body_out_));
    if (last) writer->finish();
  }
  body_out_.clear();
}

void Exchange::flush() {
  if (closed_) {
    body_out_.clear();
    leave_background_tasks();
    return;
  }
  forbid_after_finish();
  if (!head_written_) {
    write_head(false);
  } else if (coder_) {
    code_body(false);
  } else {
    send_body(body_out_);
  }
  body_out_.clear();
  if (pending_bytes() > unawaited_limit_bytes) {
    throw UsageError("the client reads more slowly than this handler writes: co_await flush()");
  }
}

void Exchange::finish() {
  if (closed_) {
    body_out_.clear();
    return;
  }
  forbid_after_finish();
  if (!head_written_) {
    const bool selects = has_validator_ || makes_etag_;
    if (selects && !takes_reload_script() && !select_body()) return;
    write_head(true);
  } else if (coder_) {
    code_body(true);
  } else {
    if (!body_out_.empty()) flush();
    finish_body();
  }
  if (coder_) {
    finish_coded();
  } else {
    finished();
  }
}

void Exchange::finish_body() {
  fields_.clear();
  for (const auto& [name, value] : trailers_out_) fields_.push_back({name, value});
  writer_->finish(fields_);
}

void Exchange::send_error(int status, std::exception_ptr error, std::string_view reason) {
  if (finished_ || closed_ || writer_ == nullptr) return;
  if (in_after_) throw UsageError("a middleware's after() has thrown or sent an error already");
  if (handler_ == nullptr) adopt(new RequestHandler());
  if (head_written_) {
    log::format(log::Level::error, "app",
                "{} {} failed after a part of its response had left; the connection is broken so "
                "that the client notices",
                head_->method_name(), head_->target());
    writer_->abort();
    background_.clear();
    finished();
    return;
  }
  try {
    clear();
    set_status(status, reason);
    if (status == 405 && match_.target != nullptr) set_header("Allow", allowed_methods());
    if (status == 415 && decodes_body()) set_header("Accept-Encoding", "gzip, br, zstd, deflate");
    handler_->write_error(status, error);
    if (!finished_) finish();
  } catch (const std::exception& what) {
    log::format(log::Level::error, "app", "write_error threw: {}", what.what());
    if (finished_ || writer_ == nullptr) return;
    if (head_written_) {
      writer_->abort();
      finished();
      return;
    }
    after_threw_ = true;  // from here on, nothing may throw
    headers_.clear();
    cookies_.clear();
    body_out_.assign("500 Internal Server Error\n");
    status_ = 500;
    reason_.clear();
    finish();
  }
}

void Exchange::refuse_websocket(int status, std::string_view why) {
  clear();
  set_status(status, {});
  set_header("Content-Type", "text/plain; charset=UTF-8");
  if (status == 426) {  // RFC 6455 §4.4, RFC 9110 §15.5.22
    set_header("Sec-WebSocket-Version", websocket::supported_version);
    set_header("Upgrade", "websocket");
    set_header("Connection", "Upgrade");
  }
  body_out_ = why;
  body_out_ += '\n';
  log::format(log::Level::info, "app", "WebSocket refused for {} at {}: {}", peer_.ip(),
              head_->target(), why);
  finish();
}

server::ResponseWriter& Exchange::begin_stream(server::MessageDelegate& delegate,
                                               http::ContentEncoder& encoder) {
  static_cast<void>(tls());  // as below
  if (!body_out_.empty()) {
    throw UsageError("a stream of events consists of send_event(): write() has no place in it");
  }
  // Of a stream that lasts, an encoder costs more than it saves, unless one knows better.
  if (coding_wish_ == CodingWish::by_settings) coding_wish_ = CodingWish::no;
  write_head(false);
  if (coder_) encoder = coder_->take_encoder();
  coder_.reset();
  server::ResponseWriter* const writer = std::exchange(writer_, nullptr);
  writer->set_delegate(delegate);
  finished_ = held_ = true;
  return *writer;
}

transport::WebSocketConnection& Exchange::upgrade(transport::WebSocketDelegate& delegate) {
  static_cast<void>(tls());  // while there is a writer to ask: open() may want to know
  server::ResponseWriter* const writer = std::exchange(writer_, nullptr);
  status_ = 101;
  head_written_ = finished_ = held_ = true;
  return writer->accept_websocket(response_fields(), delegate);
}

}  // namespace squall::web
