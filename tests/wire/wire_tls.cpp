// SPDX-License-Identifier: Apache-2.0
#include "wire_server.hpp"

#include <squall/json.hpp>
#include <squall/web.hpp>

#include <string>
#include <string_view>

// Routes that show what TLS agreed on.
namespace wire {
namespace {

using namespace squall;

json::object described(const web::HTTPServerRequest& request) {
  json::object all;
  all["protocol"] = request.protocol();
  all["url"] = request.full_url();
  const net::TLSInfo* const tls = request.tls();
  if (tls == nullptr) return all;
  all["version"] = tls->version;
  all["cipher"] = tls->cipher;
  all["alpn"] = tls->alpn;
  all["server_name"] = tls->server_name;
  all["session_reused"] = tls->session_reused;
  all["subject"] = tls->peer_subject;
  all["fingerprint"] = tls->peer_fingerprint;
  json::array names;
  for (const std::string& name : tls->peer_names) names.emplace_back(name);
  all["names"] = std::move(names);
  return all;
}

struct ShowTLS : web::RequestHandler {
  void get() { write(described(request())); }
};

struct ShowTLSSocket : web::WebSocketHandler {
  void open() { write_message(json::serialize(described(request()))); }
  void on_message(std::string_view message, bool binary) { write_message(message, binary); }
};

}  // namespace

void add_tls_routes(web::Application& app) {
  app.add_route({"/tls", web::handler<ShowTLS>});
  app.add_route({"/ws/tls", web::handler<ShowTLSSocket>});
}

}  // namespace wire
