// SPDX-License-Identifier: Apache-2.0
#include <squall/net/stream_error.hpp>
#include <squall/net/tls_error.hpp>

#include <cerrno>
#include <string>

namespace squall::net {
namespace {

class StreamCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "stream"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<StreamError>(value)) {
      case StreamError::closed:
        return "the stream is closed";
      case StreamError::end_of_stream:
        return "the peer ended the stream too soon";
      case StreamError::limit_exceeded:
        return "more bytes came than the read allows";
      case StreamError::read_timed_out:
        return "no byte came in time";
      case StreamError::idle_timed_out:
        return "the stream was idle for too long";
      case StreamError::output_full:
        return "too much output waits already";
      case StreamError::input_before_tls:
        return "bytes came before TLS began";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& stream_category() noexcept {
  static const StreamCategory category;
  return category;
}

std::error_code make_error_code(StreamError error) noexcept {
  return {static_cast<int>(error), stream_category()};
}

bool is_disconnect(std::error_code error) noexcept {
  if (error.category() == stream_category()) {
    return error == StreamError::closed || error == StreamError::end_of_stream ||
           error == StreamError::idle_timed_out;
  }
  if (error == TLSError::truncated || error == TLSError::closed_in_handshake) return true;
  if (error.category() != std::generic_category() && error.category() != std::system_category()) {
    return false;
  }
  switch (error.value()) {
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ETIMEDOUT:
    case ENOTCONN:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

}  // namespace squall::net
