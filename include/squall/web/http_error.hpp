// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/error.hpp>

#include <string>
#include <string_view>

namespace squall::web {

/// Thrown by a handler, becomes that response: `throw web::HTTPError(404);`.
class HTTPError : public Error {
 public:
  /// `status` is 400 to 599, else 500 is answered. `log_message` goes to the log, never to the
  /// client; `reason` replaces the usual phrase of the status line.
  explicit HTTPError(int status = 500, std::string_view log_message = {},
                     std::string_view reason = {});

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  [[nodiscard]] bool has_log_message() const noexcept { return has_log_message_; }

 private:
  int status_;
  bool has_log_message_;
  std::string reason_;
};

/// Thrown when an argument without a default is not in the request; becomes 400.
class MissingArgumentError : public HTTPError {
 public:
  explicit MissingArgumentError(std::string_view name);
};

/// Thrown by a handler to end the request here, with what was written so far.
class Finish : public Error {
 public:
  Finish() : Error("the handler is finished") {}
};

/// Thrown out of an await on output when the client has left.
class StreamClosedError : public Error {
 public:
  StreamClosedError() : Error("the client has closed the connection") {}
};

}  // namespace squall::web
