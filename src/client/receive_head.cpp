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
      : framing_(framing), left_(most), error_(framing.error) {
    using Body = http::ResponseFraming::Body;
    if (error_ || framing.body == Body::none || framing.body == Body::tunnel) {
      is_whole_ = !error_;
    } else if (framing.body == Body::length) {
      to_come_ = framing.content_length;
      is_whole_ = to_come_ == 0;
    }
  }

  [[nodiscard]] bool wants_more() const noexcept { return !is_whole_ && !error_; }
  /// As many bytes were taken as may be.
  [[nodiscard]] bool is_full() const noexcept { return left_ == 0; }
  /// Why it is not whole, when nothing more comes.
  [[nodiscard]] std::error_code error(bool ended_in_order) const noexcept {
    if (error_ || is_whole_) return error_;
    if (framing_.body == http::ResponseFraming::Body::until_close && ended_in_order) return {};
    return make_error_code(ClientError::connection_ended);
  }
  void take(std::string_view raw, std::string& body) {
    using Body = http::ResponseFraming::Body;
    if (framing_.body == Body::length) {
      raw = raw.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(raw.size(), to_come_)));
      to_come_ -= raw.size();
      add(raw, body);
      if (to_come_ == 0 && !error_) is_whole_ = true;
    } else if (framing_.body == Body::until_close) {
      add(raw, body);
    }
    while (framing_.body == Body::chunked && !raw.empty() && wants_more()) {
      const auto step = decoder_.next(raw);
      if (!step) {
        error_ = step.error();
        return;
      }
      add(step->data, body);
      raw.remove_prefix(step->consumed);
      if (step->done && !error_) is_whole_ = true;
    }
  }

 private:
  void add(std::string_view data, std::string& body) {
    body.append(data.substr(0, left_));
    if (data.size() > left_) error_ = std::make_error_code(std::errc::message_size);
    left_ -= std::min(left_, data.size());
  }

  http::ResponseFraming framing_;
  std::size_t left_;
  std::uint64_t to_come_ = 0;
  bool is_whole_ = false;
  std::error_code error_;
  http::ChunkedDecoder decoder_;
};

/// With `in_part`, as many bytes as are wanted are enough.
Task<std::error_code> receive(net::Stream* stream, const ReceivedHead* head, http::Method method,
                              std::size_t most, bool in_part, std::string* body) {
  BodyTaker taker(http::frame_response(head->head(), method), most);
  std::string raw(head->rest());
  for (;;) {
    taker.take(raw, *body);
    if (!taker.wants_more() || (in_part && taker.is_full())) co_return taker.error(false);
    raw.clear();
    const bool came = co_await receive_more(stream, &raw);
    if (!came) co_return taker.error(!stream->close_reason());
  }
}

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

Task<std::error_code> receive_body(net::Stream* stream, const ReceivedHead* head,
                                   http::Method method, std::size_t most, std::string* body) {
  return receive(stream, head, method, most, false, body);
}

Task<> receive_some_body(net::Stream* stream, const ReceivedHead* head, http::Method method,
                         std::size_t most, std::string* body) {
  // That the rest is missing, or wrong, is no matter: it is a part that is to be shown.
  static_cast<void>(co_await receive(stream, head, method, most, true, body));
}

}  // namespace squall::client
