// SPDX-License-Identifier: Apache-2.0
#include <squall/http/status.hpp>
#include <squall/web/detail/handler_type.hpp>
#include <squall/web/http_error.hpp>

namespace squall::web {

HTTPError::HTTPError(int status, std::string_view log_message, std::string_view reason)
    : Error(log_message.empty() ? std::string(http::reason_phrase(static_cast<unsigned>(status)))
                                : std::string(log_message)),
      status_(status),
      has_log_message_(!log_message.empty()),
      reason_(reason) {}

MissingArgumentError::MissingArgumentError(std::string_view name)
    : HTTPError(400, "argument \"" + std::string(name) + "\" is missing") {}

void detail::refuse_path_argument() {
  throw HTTPError(404, "a path argument is not of its parameter's type");
}

}  // namespace squall::web
