// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/application.hpp>

#include <string>
#include <string_view>

// The application that the wire tests talk to; it uses the public interface only.
namespace wire {

/// Counts an event under a name, from any thread; the route /counters shows them all.
void count(std::string_view what);
[[nodiscard]] std::string counters_as_json();

/// "address", "thread" or "": measures of memory mean nothing under a sanitizer.
[[nodiscard]] std::string_view sanitizer() noexcept;

void add_http_routes(squall::web::Application& app);
void add_output_routes(squall::web::Application& app);
void add_streaming_routes(squall::web::Application& app);
void add_content_routes(squall::web::Application& app);
void add_websocket_routes(squall::web::Application& app);
void add_socket_feature_routes(squall::web::Application& app);
void add_tls_routes(squall::web::Application& app);
void add_security_routes(squall::web::Application& app);
void add_auth_routes(squall::web::Application& app);
void add_edge_routes(squall::web::Application& app);

struct Edge {
  squall::web::Settings& settings;
  squall::web::ListenOptions& listen;
  std::string& inherited;  // the name of sockets to serve in place of a port
  bool& no_port;
};
/// Whether it is an option of what stands at the edge of a server.
bool set_edge_option(Edge& edge, std::string_view name, std::string_view value);

}  // namespace wire
