// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/response_head.hpp"

#include <squall/coro/task.hpp>
#include <squall/http/method.hpp>
#include <squall/net/stream.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::client {

/// A response head as it came, and what came behind it.
class ReceivedHead {
 public:
  ReceivedHead() = default;
  ReceivedHead(const ReceivedHead&) = delete;  // the head points into the bytes
  ReceivedHead& operator=(const ReceivedHead&) = delete;

  [[nodiscard]] const http::ResponseHead& head() const noexcept { return head_; }
  [[nodiscard]] std::string_view rest() const noexcept {
    return std::string_view(bytes_).substr(parser_.head_bytes());
  }

 private:
  friend Task<std::error_code> receive_head(net::Stream* stream, ReceivedHead* into);

  std::string bytes_;
  http::ResponseHead head_;
  http::ResponseHeadParser parser_;
};

/// Waits for the next response head on `stream`; interim ones (RFC 9110 §15.2), but for 101, are
/// skipped. `into` is a new one; both must live until this has ended. ClientError::connection_ended
/// when the stream ends first, HeadError when it is no head, past limits::head_bytes in all.
[[nodiscard]] Task<std::error_code> receive_head(net::Stream* stream, ReceivedHead* into);

/// Reads the first `most` bytes of the body of the answer to a request of `method`, as far as they
/// come; `body` holds them, also when this is cancelled.
[[nodiscard]] Task<> receive_some_body(net::Stream* stream, const ReceivedHead* head,
                                       http::Method method, std::size_t most, std::string* body);

/// Reads the whole body, of at most `most` bytes. ClientError::connection_ended when it is cut off,
/// std::errc::message_size past `most`; HeadError or ChunkError when it is not as HTTP has it.
[[nodiscard]] Task<std::error_code> receive_body(net::Stream* stream, const ReceivedHead* head,
                                                 http::Method method, std::size_t most,
                                                 std::string* body);

}  // namespace squall::client
