// SPDX-License-Identifier: Apache-2.0
#include "client/receive_head.hpp"

#include "http/chunked_decoder.hpp"

#include <squall/base/limits.hpp>
#include <squall/client/client_error.hpp>

#include <algorithm>
#include <span>

namespace squall::client {
namespace {

constexpr std::size_t piece_bytes = 4096;

/// Appends what comes; false at the end of the stream or when it breaks.
Task<bool> receive_more(net::Stream* stream, std::string* bytes) {
  const std::size_t had = bytes->size();
  bytes->resize(had + piece_bytes);
  const std::span<char> room(bytes->data() + had, piece_bytes);
  Result<std::size_t> got(std::size_t{0});
  try {
    got = co_await stream->read_some(room);
  } catch (...) {
    bytes->resize(had);
    throw;
  }
  bytes->resize(had + (got ? *got : 0));
  co_return got&&* got > 0;
}

/// Takes the body's bytes from the front of `raw`; whether more of them are to come.
class BodyTaker {
 public:
  BodyTaker(const http::ResponseFraming& framing, std::size_t most) noexcept
      : framing_(framing), left_(most) {
    using Body = http::ResponseFraming::Body;
    if (framing.body == Body::length) {
      left_ = static_cast<std::size_t>(std::min<std::uint64_t>(left_, framing.content_length));
    }
    const bool has_body = framing.body == Body::length || framing.body == Body::chunked ||
                          framing.body == Body::until_close;
    if (!has_body || framing.error != http::HeadError{}) left_ = 0;
  }

  [[nodiscard]] bool wants_more() const noexcept { return left_ > 0; }
  void take(std::string_view raw, std::string& body) {
    if (framing_.body != http::ResponseFraming::Body::chunked) {
      add(raw, body);
      return;
    }
    while (!raw.empty() && left_ > 0) {
      const auto step = decoder_.next(raw);
      if (!step) {
        left_ = 0;
        return;
      }
      add(step->data, body);
      raw.remove_prefix(step->consumed);
      if (step->done) left_ = 0;
    }
  }

 private:
  void add(std::string_view data, std::string& body) {
    body.append(data.substr(0, left_));
    left_ -= std::min(left_, data.size());
  }

  http::ResponseFraming framing_;
  std::size_t left_;
  http::ChunkedDecoder decoder_;
};

}  // namespace

Task<std::error_code> receive_head(net::Stream* stream, ReceivedHead* into) {
  using Status = http::HeadParser::Status;
  std::size_t skipped = 0;
  for (;;) {
    http::HeadLimits limits;
    limits.head_bytes -= skipped;
    const Status status = into->parser_.parse(into->bytes_, into->head_, limits);
    if (status == Status::failed) co_return into->parser_.error();
    if (status == Status::done) {
      if (into->head_.status() / 100 != 1 || into->head_.status() == 101) {
        co_return std::error_code();
      }
      skipped += into->parser_.head_bytes();
      into->bytes_.erase(0, into->parser_.head_bytes());
      into->parser_.reset();
      continue;
    }
    const bool came = co_await receive_more(stream, &into->bytes_);
    if (!came) {
      const std::error_code why = stream->close_reason();
      co_return why ? why : make_error_code(ClientError::connection_ended);
    }
  }
}

Task<> receive_some_body(net::Stream* stream, const ReceivedHead* head, http::Method method,
                         std::size_t most, std::string* body) {
  BodyTaker taker(http::frame_response(head->head(), method), most);
  std::string raw(head->rest());
  for (;;) {
    taker.take(raw, *body);
    if (!taker.wants_more()) co_return;
    raw.clear();
    const bool came = co_await receive_more(stream, &raw);
    if (!came) co_return;
  }
}

}  // namespace squall::client
