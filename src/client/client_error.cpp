// SPDX-License-Identifier: Apache-2.0
#include <squall/client/client_error.hpp>
#include <squall/http/status.hpp>

#include <utility>

namespace squall::client {
namespace {

const char* text_of(ClientError error) noexcept {
  switch (error) {
    case ClientError::unsupported_scheme:
      return "unsupported scheme in the URL";
    case ClientError::connection_ended:
      return "the connection ended before the answer was whole";
    case ClientError::too_many_redirects:
      return "too many redirects";
    case ClientError::bad_redirect:
      return "a redirect without a usable Location";
    case ClientError::insecure_redirect:
      return "a redirect from TLS to a connection without";
    case ClientError::bad_proxy:
      return "the proxy's URL is neither http://host:port nor socks5://host:port";
    case ClientError::secure_proxy:
      return "a proxy that is itself reached over TLS (https://) is not supported: use http:// or "
             "socks5://";
    case ClientError::proxy_unauthorized:
      return "the proxy asks for other credentials";
    case ClientError::proxy_refused:
      return "the proxy does not connect to the server";
    case ClientError::bad_proxy_answer:
      return "the proxy's answer cannot be understood";
  }
  return "unknown error";
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.client"; }
  std::string message(int value) const override { return text_of(static_cast<ClientError>(value)); }
};

class RefusedCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.client.refused"; }
  std::string message(int value) const override {
    const auto phrase = http::reason_phrase(static_cast<unsigned>(value));
    return "the server answered " + std::to_string(value) +
           (phrase == "Unknown" ? "" : " " + std::string(phrase));
  }
};

}  // namespace

std::error_code make_error_code(ClientError error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

const std::error_category& refused_category() noexcept {
  static const RefusedCategory category;
  return category;
}

WebSocketConnectError::WebSocketConnectError(std::string url, std::error_code code,
                                             std::string body)
    : Error("cannot open a WebSocket to " + url + ": " + code.message()),
      url_(std::move(url)),
      body_(std::move(body)),
      code_(code) {}

}  // namespace squall::client
