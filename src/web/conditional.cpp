// SPDX-License-Identifier: Apache-2.0
#include "base/hex.hpp"
#include "http/ascii.hpp"
#include "http/date.hpp"
#include "http/preconditions.hpp"
#include "web/content_hash.hpp"
#include "web/exchange.hpp"

#include <squall/base/error.hpp>
#include <squall/web/request_handler.hpp>

#include <algorithm>
#include <sys/random.h>
#include <time.h>

// Conditional and range requests (RFC 9110 §13, §14), for every handler: what a response becomes
// between its end and its sending.
namespace squall::web {
namespace {

http::Validators validators_of(const Exchange& exchange) {
  http::Validators current;
  current.etag = exchange.header("Etag");
  current.last_modified = http::parse_http_date(exchange.header("Last-Modified"));
  return current;
}

// Random, so that it stands in no body, not even in one made to be hostile.
std::string random_boundary() {
  char bytes[16];
  if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    throw Error("the kernel gives no random numbers");
  }
  std::string text;
  append_hex(text, {bytes, sizeof bytes});
  return text;
}

bool is_safe(http::Method method) noexcept {
  return method == http::Method::get || method == http::Method::head;
}

}  // namespace

// RFC 9110 §15.4.5: what a cache updates stays; the rest describes a body that is not sent.
void Exchange::become_not_modified() {
  if (may_be_coded()) weaken_etag_unsent(body_out_.size());
  const bool has_etag = !header("Etag").empty();
  for (const char* const name : {"Content-Type", "Content-Length", "Content-Encoding",
                                 "Content-Language", "Content-Range"}) {
    clear_header(name);
  }
  if (has_etag) clear_header("Last-Modified");
  body_out_.clear();
  set_status(304, {});
}

void Exchange::become_unsatisfiable(std::uint64_t size) {
  for (const char* const name : {"Etag", "Last-Modified", "Cache-Control", "Expires",
                                 "Content-Length", "Content-Encoding", "Content-Language"}) {
    clear_header(name);
  }
  body_out_.clear();
  set_status(416, {});
  set_header("Content-Type", "text/plain; charset=utf-8");
  set_header("Content-Range", http::unsatisfied_range(size));
}

bool Exchange::check_preconditions(bool exists) {
  if (head_written_) {
    throw UsageError("check_preconditions() after flush(): the headers have left already");
  }
  http::Validators current = validators_of(*this);
  current.exists = exists;
  switch (http::evaluate_preconditions(*head_, current, ::time(nullptr))) {
    case http::Precondition::proceed:
      return true;
    case http::Precondition::not_modified:
      become_not_modified();
      finish();
      return false;
    case http::Precondition::failed:
      break;
  }
  send_error(412, nullptr);
  return false;
}

/// For a whole response that nothing has left of. Sets status and headers for what it selects.
Exchange::Selected Exchange::select(std::uint64_t size, http::RangeSet& ranges) {
  // RFC 9110 §13.2.1: conditions count where the answer would be 2xx, and only those of safe
  // methods can be left to the end.
  if (status_ != 200 || !is_safe(head_->method()) || !http::is_conditional(*head_)) {
    return Selected::whole;
  }
  const std::int64_t now = ::time(nullptr);
  const http::Validators current = validators_of(*this);
  switch (http::evaluate_preconditions(*head_, current, now)) {
    case http::Precondition::proceed:
      break;
    case http::Precondition::not_modified:
      become_not_modified();
      return Selected::nothing;
    case http::Precondition::failed:
      send_error(412, nullptr);
      return Selected::answered;
  }
  // RFC 9110 §14.2: Range is defined for GET alone. Who says that he takes ranges of bytes means
  // the body as it is sent, with its Content-Encoding.
  if (!head_->has(http::FieldId::range) || head_->method() != http::Method::get ||
      !http::ascii::equal(header("Accept-Ranges"), "bytes") ||
      !http::if_range_holds(*head_, current, now)) {
    return Selected::whole;
  }
  ranges = http::select_ranges(head_->field(http::FieldId::range), size);
  switch (ranges.outcome()) {
    case http::RangeSet::Outcome::whole:
      return Selected::whole;
    case http::RangeSet::Outcome::unsatisfiable:
      become_unsatisfiable(size);
      return Selected::nothing;
    case http::RangeSet::Outcome::partial:
      break;
  }
  clear_header("Content-Length");  // the handler's was that of the whole
  set_status(206, {});
  if (ranges.ranges().size() == 1) {
    set_header("Content-Range", http::content_range(ranges.ranges()[0], size));
  }
  return Selected::ranges;
}

/// Applies conditions and ranges to the body that the handler wrote; false when that has answered.
bool Exchange::select_body() {
  if (makes_etag_ && status_ == 200 && is_safe(head_->method()) && header("Etag").empty() &&
      !(body_out_.empty() && head_->method() == http::Method::head)) {
    handler_->set_etag_header();
  }
  http::RangeSet ranges;
  switch (select(body_out_.size(), ranges)) {
    case Selected::whole:
    case Selected::nothing:
      return true;
    case Selected::answered:
      return false;
    case Selected::ranges:
      break;
  }
  const std::span<const http::ByteRange> chosen = ranges.ranges();
  const auto slice = [this](const http::ByteRange& range) {
    return std::string_view(body_out_).substr(static_cast<std::size_t>(range.first),
                                              static_cast<std::size_t>(range.size));
  };
  if (chosen.size() == 1) {
    const std::string_view part = slice(chosen[0]);
    body_out_ = std::string(part);
    return true;
  }
  const std::string boundary = random_boundary();
  const std::string type(header("Content-Type"));
  const http::MultipartRanges parts(chosen, body_out_.size(), type, boundary);
  std::string body;
  body.reserve(static_cast<std::size_t>(parts.content_length()));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    body += parts.head(i);
    body += slice(chosen[i]);
  }
  body += parts.tail();
  body_out_ = std::move(body);
  set_header("Content-Type", parts.content_type());
  return true;
}

void Exchange::finish_with_file(const loop::SharedFile& file, std::uint64_t bytes) {
  if (closed_) return;
  forbid_after_finish();
  coding_wish_ = CodingWish::no;
  const auto send = [&](std::uint64_t first, std::uint64_t size) {
    writer_->write_file(file, static_cast<off_t>(first), static_cast<std::size_t>(size));
  };
  http::RangeSet ranges;
  switch (has_validator_ ? select(bytes, ranges) : Selected::whole) {
    case Selected::answered:
      return;
    case Selected::nothing:
      write_head(true);
      finished();
      return;
    case Selected::whole:
      set_header("Content-Length", std::to_string(bytes));
      write_head(false);
      send(0, bytes);
      break;
    case Selected::ranges: {
      const std::span<const http::ByteRange> chosen = ranges.ranges();
      if (chosen.size() == 1) {
        set_header("Content-Length", std::to_string(chosen[0].size));
        write_head(false);
        send(chosen[0].first, chosen[0].size);
        break;
      }
      const std::string boundary = random_boundary();
      const std::string type(header("Content-Type"));
      const http::MultipartRanges parts(chosen, bytes, type, boundary);
      set_header("Content-Type", parts.content_type());
      set_header("Content-Length", std::to_string(parts.content_length()));
      write_head(false);
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        writer_->write_body(parts.head(i));
        send(chosen[i].first, chosen[i].size);
      }
      writer_->write_body(parts.tail());
      break;
    }
  }
  writer_->finish();
  finished();
}

std::string RequestHandler::compute_etag() {
  ContentHash hash;
  hash.update(exchange().body_out());
  return '"' + hash.hex() + '"';
}

void RequestHandler::set_etag_header() {
  const std::string etag = compute_etag();
  if (!etag.empty()) set_header("Etag", etag);
}

bool RequestHandler::check_etag_header() const {
  http::Validators current;
  current.etag = exchange().header("Etag");
  return http::if_none_match_lists(exchange().head(), current);
}

bool RequestHandler::check_preconditions(bool exists) {
  return exchange().check_preconditions(exists);
}

void RequestHandler::set_last_modified(std::int64_t unix_seconds) {
  // RFC 9110 §8.8.2.1: never later than the response's Date.
  const std::int64_t now = ::time(nullptr);
  char date[http::http_date_size];
  http::format_http_date(std::min(unix_seconds, now), date);
  set_header("Last-Modified", std::string_view(date, sizeof date));
}

}  // namespace squall::web
