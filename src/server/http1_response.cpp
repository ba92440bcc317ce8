// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "net/stream_core.hpp"
#include "server/http1_connection.hpp"
#include "server/http_server.hpp"
#include "transport/websocket_connection.hpp"

#include <squall/base/error.hpp>
#include <squall/http/status.hpp>

#include <charconv>
#include <cstring>
#include <string>
#include <utility>

// Writing: how a response goes out over HTTP/1 (RFC 9112 §4, §6, §7). Reading is in
// http1_connection.cpp.
namespace squall::server {

using loop::Stream;

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::size_t prepared_bytes = 16 * 1024;  // what Stream::prepare() gives at most
constexpr std::size_t copied_bytes = 4 * 1024;     // up to here a copy costs less than a segment

char* put(char* out, std::string_view text) noexcept {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_number(char* out, std::uint64_t number) noexcept {
  return std::to_chars(out, out + 20, number).ptr;
}

void append_fields(std::string& out, std::span<const ResponseField> fields) {
  for (const ResponseField& field : fields) {
    out.append(field.name).append(": ").append(field.value).append(line_end);
  }
}

constexpr std::string_view ok_line = "HTTP/1.1 200 OK\r\n";

char* put_status_line(char* out, unsigned status, std::string_view reason) noexcept {
  if (status == 200 && reason.empty()) return put(out, ok_line);
  out = put(out, "HTTP/1.1 ");
  out = put_number(out, status);
  *out++ = ' ';
  out = put(out, reason.empty() ? http::reason_phrase(status) : reason);
  return put(out, line_end);
}

}  // namespace

void HTTP1Connection::write_head(const ResponseHead& head, std::string_view body, bool last) {
  if (head_written_) throw UsageError("the head of this response has been written before");
  bodiless_ = head_request_ || http::bodiless(head.status);
  if (head.close) keep_alive_ = false;
  std::optional<std::uint64_t> length = head.content_length;
  if (!length && last) length = body.size();
  if (length && last && !head_request_ && *length != body.size()) {
    throw UsageError("the body has another size than its Content-Length says");
  }
  // Answered before the body was read: a long rest is not worth reading (RFC 9112 §9.3).
  if (last && in_body() && !may_discard()) keep_alive_ = false;
  has_length_ = length.has_value() && !http::bodiless(head.status);
  // RFC 9112 §6.1: no transfer coding for 1xx, 204 and 304, nor towards HTTP/1.0.
  chunked_ = !length && !bodiless_ && !http_1_0_;
  if (!length && !bodiless_ && http_1_0_) keep_alive_ = false;  // delimited by the close
  head_written_ = true;

  std::size_t size = 128 + head.reason.size() + server_.common_fields().size();
  for (const ResponseField& field : head.fields) size += field.name.size() + field.value.size() + 4;
  const std::string_view sent_body = bodiless_ ? std::string_view() : body;
  const std::size_t with_body = size + (chunked_ ? 0 : sent_body.size());
  const bool together = with_body <= prepared_bytes;

  std::string large;
  char* begin = nullptr;
  if (size <= prepared_bytes) {
    begin = stream_->prepare(together ? with_body : size);
  } else {
    large.resize(size);
    begin = large.data();
  }
  char* out = put_status_line(begin, head.status, head.reason);
  if (head.send_server && head.send_date) {
    out = put(out, server_.common_fields());
  } else if (head.send_server) {
    out = put(out, server_.server_field());
  } else if (head.send_date) {
    out = put(out, server_.date_field());
  }
  for (const ResponseField& field : head.fields) {
    out = put(out, field.name);
    out = put(out, ": ");
    out = put(out, field.value);
    out = put(out, line_end);
  }
  if (has_length_) {
    out = put(out, "Content-Length: ");
    out = put_number(out, *length);
    out = put(out, line_end);
    remaining_out_ = *length;
  } else if (chunked_) {
    out = put(out, "Transfer-Encoding: chunked\r\n");
  }
  if (!keep_alive_) {
    out = put(out, "Connection: close\r\n");
  } else if (http_1_0_) {
    out = put(out, "Connection: keep-alive\r\n");
  }
  out = put(out, line_end);
  const bool body_here = together && !chunked_ && large.empty();
  if (body_here && !sent_body.empty()) {
    out = put(out, sent_body);
    if (has_length_) remaining_out_ -= sent_body.size();
  }
  if (large.empty()) {
    stream_->commit(static_cast<std::size_t>(out - begin));
  } else {
    large.resize(static_cast<std::size_t>(out - begin));
    stream_->write_owned(std::move(large));
  }
  if (!body_here && !body.empty()) write_body(body);
  if (last) finish({});
}

// Throws before anything is written, so that the caller can still abort.
void HTTP1Connection::count_body(std::size_t bytes) {
  if (!has_length_ || bodiless_) return;
  if (bytes > remaining_out_) {
    throw UsageError("the body is longer than its Content-Length says");
  }
  remaining_out_ -= bytes;
}

void HTTP1Connection::open_chunk(std::size_t bytes) {
  if (!chunked_) return;
  char line[20];
  char* const end = std::to_chars(line, line + 16, bytes, 16).ptr;
  std::memcpy(end, "\r\n", 2);
  stream_->write({line, static_cast<std::size_t>(end + 2 - line)});
}

void HTTP1Connection::close_chunk() {
  if (chunked_) stream_->write(line_end);
}

void HTTP1Connection::write_body(std::string_view bytes) {
  if (bytes.empty() || bodiless_) return;  // an empty chunk would end the body
  count_body(bytes.size());
  open_chunk(bytes.size());
  stream_->write(bytes);
  close_chunk();
}

void HTTP1Connection::write_owned(std::string&& bytes) {
  if (bytes.empty() || bodiless_) return;
  count_body(bytes.size());
  open_chunk(bytes.size());
  stream_->write_owned(std::move(bytes));
  close_chunk();
}

void HTTP1Connection::write_file(loop::SharedFile file, off_t offset, std::size_t bytes) {
  if (bytes == 0 || bodiless_) return;
  count_body(bytes);
  open_chunk(bytes);
  stream_->write_file(std::move(file), offset, bytes);
  close_chunk();
}

void HTTP1Connection::write_framed(const SharedBytes& chunk) {
  if (bodiless_) return;
  if (!chunked_) {
    write_body(chunk_payload(chunk.view()));
  } else if (chunk.size() <= copied_bytes) {
    stream_->write(chunk.view());
  } else {
    stream_->write_shared(chunk);
  }
}

void HTTP1Connection::finish(std::span<const ResponseField> trailers) {
  if (has_length_ && !bodiless_ && remaining_out_ != 0) {
    log::format(
        log::Level::error, "server",
        "a response ended {} bytes short of its Content-Length; the connection is broken so "
        "that the client notices",
        remaining_out_);
    abort();
    return;
  }
  if (chunked_) {
    if (trailers.empty()) {
      stream_->write("0\r\n\r\n");
    } else {  // RFC 9112 §7.1.2
      std::string section = "0\r\n";
      append_fields(section, trailers);
      section += line_end;
      stream_->write_owned(std::move(section));
    }
  }
  end_response();
}

void HTTP1Connection::end_response() {
  exchange_ = nullptr;
  if (in_body()) {
    if (keep_alive_ && may_discard()) {
      discard_body();
    } else {
      keep_alive_ = false;
    }
  }
  if (!processing_) {
    go_on_later();
    return;
  }
  if (keep_alive_) {
    if (!in_body()) phase_ = Phase::head;
  } else {
    const bool body_unread = phase_ == Phase::over || in_body();
    phase_ = Phase::over;
    close(body_unread ? Stream::Linger::yes : Stream::Linger::no);
  }
}

void HTTP1Connection::write_informational(unsigned status, std::span<const ResponseField> fields) {
  if (head_written_) throw UsageError("an interim response goes ahead of the head");
  if (http_1_0_) return;  // RFC 9110 §15.2
  char line[64];
  char* const end = put_status_line(line, status, {});
  std::string head(line, end);
  append_fields(head, fields);
  head += line_end;
  stream_->write_owned(std::move(head));
}

void HTTP1Connection::abort() noexcept {
  exchange_ = nullptr;
  stream_->abort();
  stream_ = nullptr;
  destroy();
}

std::size_t HTTP1Connection::pending_bytes() const noexcept { return stream_->pending_bytes(); }

void HTTP1Connection::request_drain_notice() noexcept { stream_->request_drain_notice(); }

void HTTP1Connection::set_write_timeout(Duration timeout) noexcept {
  own_write_timeout_ = true;
  stream_->set_write_timeout(timeout);
}

std::uint32_t HTTP1Connection::min_write_rate() const noexcept {
  return server_.options().min_write_rate;
}

// An answer of the connection itself: to what is no request, or to one that no handler may see.
void HTTP1Connection::refuse(unsigned status, std::string_view why) {
  log::format(log::Level::info, "server", "{} for {}: {}", status, peer_.to_string(), why);
  const std::string_view reason = http::reason_phrase(status);
  const std::string body = std::to_string(status) + " " + std::string(reason) + "\n";
  head_written_ = false;
  keep_alive_ = false;
  const ResponseField fields[] = {{"Content-Type", "text/plain; charset=utf-8"}};
  ResponseHead head;
  head.status = status;
  head.fields = fields;
  head.content_length = body.size();
  phase_ = Phase::over;
  write_head(head, body, false);
  // Lingering: the client may still be sending what was refused.
  close(Stream::Linger::yes);
}

void HTTP1Connection::write_switch(std::string_view protocol,
                                   std::span<const ResponseField> fields) {
  std::string head;
  head.reserve(160 + server_.common_fields().size() + fields.size() * 64);
  head += "HTTP/1.1 101 Switching Protocols\r\n";
  head += server_.common_fields();
  head.append("Upgrade: ").append(protocol).append("\r\nConnection: Upgrade\r\n");
  append_fields(head, fields);
  head += line_end;
  stream_->write(head);
  stream_->clear_deadline();
  exchange_ = nullptr;
  head_written_ = taken_over_ = true;
}

WebSocketConnection& HTTP1Connection::accept_websocket(std::span<const ResponseField> fields,
                                                       WebSocketDelegate& delegate) {
  write_switch("websocket", fields);
  upgraded_ = &WebSocketConnection::start(*std::exchange(stream_, nullptr),
                                          WebSocketConnection::Role::server, server_.websockets(),
                                          delegate);
  upgraded_->set_tag(give_place());
  if (!processing_) {
    if (input_) upgraded_->take_over(input_->unread());
    server_.core().make_ready(*this);
  }
  return *upgraded_;
}

net::Stream HTTP1Connection::switch_protocols(std::string_view protocol,
                                              std::span<const ResponseField> fields) {
  if (in_body()) throw UsageError("switch_protocols() before the request's body has been read");
  write_switch(protocol, fields);
  std::string_view early = reading_ != nullptr ? *reading_ : std::string_view();
  if (!processing_) {
    if (input_) early = input_->unread();
    server_.core().make_ready(*this);
  }
  return net::detail::make_stream(*std::exchange(stream_, nullptr),
                                  secure_ ? secure_->filter : nullptr, early);
}

}  // namespace squall::server
