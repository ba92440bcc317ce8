// SPDX-License-Identifier: Apache-2.0
#include "web/application_impl.hpp"
#include "web/debug_page.hpp"
#include "web/worker.hpp"

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>

namespace squall::web {
namespace {

std::string text_of(bool value) { return value ? "on" : "off"; }
std::string text_of(Duration value) { return fmt::format("{} s", value.seconds()); }
std::string text_of(std::string_view value) { return value.empty() ? "-" : std::string(value); }
std::string text_of(const void* object) { return object != nullptr ? "set" : "-"; }
template <class Number>
requires std::integral<Number> &&(!std::same_as<Number, bool>)std::string text_of(Number value) {
  return std::to_string(value);
}

std::string text_of(SlowConsumer policy) {
  switch (policy) {
    case SlowConsumer::disconnect:
      return "disconnect";
    case SlowConsumer::drop_oldest:
      return "drop_oldest";
    case SlowConsumer::drop_newest:
      return "drop_newest";
    case SlowConsumer::conflate:
      return "conflate";
  }
  return {};
}

std::string text_of(ProxyHeaders headers) {
  switch (headers) {
    case ProxyHeaders::x_forwarded:
      return "x_forwarded";
    case ProxyHeaders::forwarded:
      return "forwarded";
    case ProxyHeaders::x_real_ip:
      return "x_real_ip";
  }
  return {};
}

}  // namespace

NamedValues describe_settings(const Application::Impl& application) {
  const Settings& settings = application.settings;
  NamedValues out;
  const auto add = [&out](std::string_view name, const auto& value) {
    out.emplace_back(name, text_of(value));
  };
#define SQUALL_ADD(field) add(#field, settings.field)
  SQUALL_ADD(debug);
  SQUALL_ADD(access_log);
  out.emplace_back("log_function", settings.log_function ? "set" : "-");
  SQUALL_ADD(compress_response);
  SQUALL_ADD(decompress_request);
  SQUALL_ADD(auto_etag);
  out.emplace_back("cookie_secret", settings.cookie_secret.empty() ? "-" : "set, not shown");
  out.emplace_back("cookie_secrets", application.cookie_keys.empty() ? "-" : "set, not shown");
  SQUALL_ADD(key_version);
  add("session_store", static_cast<const void*>(settings.session_store));
  add("session.cookie_name", settings.session.cookie_name);
  add("session.max_age", settings.session.max_age);
  add("session.max_lifetime", settings.session.max_lifetime);
  SQUALL_ADD(login_url);
  SQUALL_ADD(xsrf_cookies);
  SQUALL_ADD(xsrf_cookie_version);
  SQUALL_ADD(xsrf_cookie_name);
  SQUALL_ADD(xsrf_check_origin);
  add("xsrf_allowed_origins", fmt::format("{}", fmt::join(application.xsrf_allowed_origins, " ")));
  SQUALL_ADD(default_host);
  SQUALL_ADD(static_path);
  SQUALL_ADD(static_url_prefix);
  add("websocket_allowed_origins", fmt::format("{}", fmt::join(application.allowed_origins, " ")));
  SQUALL_ADD(websocket_max_message_size);
  SQUALL_ADD(websocket_max_queue);
  SQUALL_ADD(websocket_slow_consumer);
  SQUALL_ADD(websocket_stall_timeout);
  SQUALL_ADD(websocket_ping_interval);
  SQUALL_ADD(websocket_ping_timeout);
  add("websocket_compression.enabled", settings.websocket_compression.enabled);
  SQUALL_ADD(event_source_heartbeat);
  SQUALL_ADD(event_source_slow_consumer);
  SQUALL_ADD(event_source_max_queue);
  SQUALL_ADD(event_source_write_timeout);
  SQUALL_ADD(reconnect_spread);
  SQUALL_ADD(max_header_size);
  SQUALL_ADD(max_body_size);
  SQUALL_ADD(max_streamed_body_size);
  SQUALL_ADD(max_write_buffer);
  add("hsts.max_age", settings.hsts.max_age);
  out.emplace_back("trusted_proxies", application.trusted_proxies.empty() ? "-" : "set");
  SQUALL_ADD(proxy_headers);
  SQUALL_ADD(protocol);
  SQUALL_ADD(max_connections);
  SQUALL_ADD(max_connections_per_address);
  SQUALL_ADD(header_timeout);
  SQUALL_ADD(body_timeout);
  SQUALL_ADD(idle_connection_timeout);
  SQUALL_ADD(write_timeout);
  SQUALL_ADD(min_body_rate);
  SQUALL_ADD(min_write_rate);
  SQUALL_ADD(max_requests_per_connection);
  SQUALL_ADD(shutdown_timeout);
  SQUALL_ADD(handle_signals);
  SQUALL_ADD(reload_on_hangup);
  SQUALL_ADD(restart_on_hangup);
  SQUALL_ADD(restart_timeout);
  SQUALL_ADD(wait_for_notify_ready);
  SQUALL_ADD(pid_file);
#undef SQUALL_ADD
  return out;
}

}  // namespace squall::web
