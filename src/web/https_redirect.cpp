// SPDX-License-Identifier: Apache-2.0
#include "web/https_redirect.hpp"

#include <squall/base/pool.hpp>
#include <squall/http/method.hpp>

#include <string>
#include <string_view>

namespace squall::web {
namespace {

// "[::1]:80" and "example.com:80" without the port.
std::string_view without_port(std::string_view authority) noexcept {
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return has_port ? authority.substr(0, colon) : authority;
}

}  // namespace

class RedirectToHTTPS::Answer final : public server::MessageDelegate,
                                      public squall::detail::Pooled {
 public:
  Answer(server::ResponseWriter& writer, std::uint16_t port) noexcept
      : writer_(writer), port_(port) {}

  // At once, without waiting for a body.
  void headers_received(const http::RequestHead& head, const http::RequestFraming&) override {
    const std::string_view host = without_port(head.authority());
    if (host.empty()) {  // HTTP/1.0 without Host: there is nowhere to redirect to
      server::ResponseHead response;
      response.status = 400;
      response.content_length = 0;
      end(response);
      return;
    }
    std::string url = "https://";
    url += host;
    if (port_ != 443) url.append(":").append(std::to_string(port_));
    if (head.path() != "*") url += head.path();
    if (!head.query().empty()) url.append("?").append(head.query());
    const server::ResponseField fields[] = {{"Location", url}};
    server::ResponseHead response;
    // Others than GET and HEAD keep their method and body with 308 only (RFC 9110 §15.4.9).
    const bool is_safe = head.method() == http::Method::get || head.method() == http::Method::head;
    response.status = is_safe ? 301 : 308;
    response.fields = fields;
    response.content_length = 0;
    end(response);
  }
  void data_received(std::string_view) override {}
  void message_complete(http::Trailers*) override {}
  void preserve() override {}
  void on_drained() override {}
  void on_connection_close() override { delete this; }

 private:
  void end(const server::ResponseHead& response) {
    server::ResponseWriter& writer = writer_;
    writer.write_head(response, {}, true);
    delete this;
  }

  ~Answer() = default;
  server::ResponseWriter& writer_;
  std::uint16_t port_;
};

server::MessageDelegate& RedirectToHTTPS::start_request(server::ResponseWriter& writer) {
  return *new Answer(writer, port_);
}

}  // namespace squall::web
