// SPDX-License-Identifier: Apache-2.0
#include "web/exchange.hpp"

#include <squall/web/request.hpp>

namespace squall::web {

http::Method HTTPServerRequest::method() const noexcept { return exchange_.head().method(); }
std::string_view HTTPServerRequest::method_name() const noexcept {
  return exchange_.head().method_name();
}
std::string_view HTTPServerRequest::uri() const noexcept { return exchange_.head().target(); }
std::string_view HTTPServerRequest::path() const noexcept { return exchange_.head().path(); }
std::string_view HTTPServerRequest::query() const noexcept { return exchange_.head().query(); }
std::string_view HTTPServerRequest::version() const noexcept {
  return exchange_.head().minor_version() == 0 ? "HTTP/1.0" : "HTTP/1.1";
}

std::string_view HTTPServerRequest::header(std::string_view name) const noexcept {
  return exchange_.head().field(name);
}
bool HTTPServerRequest::has_header(std::string_view name) const noexcept {
  return exchange_.head().has(name);
}
std::size_t HTTPServerRequest::header_count() const noexcept {
  return exchange_.head().field_count();
}
std::string_view HTTPServerRequest::header_name(std::size_t index) const noexcept {
  return exchange_.head().field_name(index);
}
std::string_view HTTPServerRequest::header_value(std::size_t index) const noexcept {
  return exchange_.head().field_value(index);
}

RequestBody HTTPServerRequest::body() const noexcept { return {exchange_.body(), exchange_}; }
std::string_view HTTPServerRequest::trailer(std::string_view name) const noexcept {
  return exchange_.trailer(name);
}

std::string_view HTTPServerRequest::host() const noexcept { return exchange_.host(); }
std::string HTTPServerRequest::remote_ip() const { return exchange_.client().ip(); }
std::string HTTPServerRequest::connection_ip() const { return exchange_.peer().ip(); }
std::string_view HTTPServerRequest::protocol() const noexcept {
  return exchange_.client_is_secure() ? "https" : "http";
}
const net::TLSInfo* HTTPServerRequest::tls() const { return exchange_.tls(); }
std::string HTTPServerRequest::full_url() const {
  const std::string_view target = uri();
  if (!target.starts_with('/')) return std::string(target);
  std::string url(protocol());
  url.append("://").append(host()).append(target);
  return url;
}
double HTTPServerRequest::request_time() const noexcept {
  return static_cast<double>(exchange_.elapsed_ns()) / 1e9;
}

}  // namespace squall::web
