// SPDX-License-Identifier: Apache-2.0
// What stands at the edge: proxies, limits on connections, restarts.
#include "wire_server.hpp"

#include <squall/json.hpp>
#include <squall/net/fork_processes.hpp>
#include <squall/web.hpp>

#include <array>
#include <stdexcept>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>

namespace wire {
namespace {

using namespace squall;

/// A list of up to four, separated by commas, as Settings take it: its array lives for ever.
const std::initializer_list<std::string_view>& list_of(std::string_view text) {
  static const std::string kept(text);
  static std::array<std::string_view, 4> items;
  std::string_view rest = kept;
  for (std::string_view& item : items) {
    const std::size_t comma = rest.find(',');
    item = rest.substr(0, comma);
    if (comma != std::string_view::npos) rest.remove_prefix(comma + 1);
  }
  static const std::initializer_list<std::string_view> list = {items[0], items[1], items[2],
                                                               items[3]};
  return list;
}

struct WhoAmI : web::RequestHandler {
  void get() {
    write(json::object{{"remote_ip", request().remote_ip()},
                       {"connection_ip", request().connection_ip()},
                       {"protocol", request().protocol()},
                       {"host", request().host()},
                       {"full_url", request().full_url()}});
  }
};

/// The same from a coroutine: what the request says must outlive the receive buffer.
struct WhoAmILater : web::RequestHandler {
  Task<> get() {
    co_await sleep(Duration::from_milliseconds(10));
    write(request().remote_ip() + " " + request().full_url());
  }
};

}  // namespace

bool set_edge_option(Edge& edge, std::string_view name, std::string_view value) {
  const auto number = [&] { return static_cast<std::size_t>(std::stoul(std::string(value))); };
  web::Settings& settings = edge.settings;
  if (name == "--trusted-proxies") {
    settings.trusted_proxies = list_of(value);
  } else if (name == "--proxy-headers") {
    settings.proxy_headers = value == "forwarded"   ? web::ProxyHeaders::forwarded
                             : value == "x-real-ip" ? web::ProxyHeaders::x_real_ip
                                                    : web::ProxyHeaders::x_forwarded;
  } else if (name == "--protocol") {
    static const std::string protocol(value);
    settings.protocol = protocol;
  } else if (name == "--proxy-protocol") {
    if (value == "1") edge.listen.proxy_protocol = web::ProxyProtocol::required;
  } else if (name == "--max-connections") {
    settings.max_connections = number();
  } else if (name == "--max-per-address") {
    settings.max_connections_per_address = number();
  } else if (name == "--restart-on-hangup") {
    settings.restart_on_hangup = value == "1";
  } else if (name == "--restart-timeout-ms") {
    settings.restart_timeout = Duration::from_milliseconds(static_cast<std::int64_t>(number()));
  } else if (name == "--pid-file") {
    static const std::string path(value);
    settings.pid_file = path;
  } else if (name == "--wait-for-notify-ready") {
    settings.wait_for_notify_ready = value == "1";
  } else if (name == "--outlive-parent") {
    // A test sees to its end itself: it is the parent of all that have lost theirs.
    if (value == "1") ::prctl(PR_SET_PDEATHSIG, 0);
  } else if (name == "--crash-if") {
    if (::access(std::string(value).c_str(), F_OK) == 0) ::_exit(3);
  } else if (name == "--hang-if") {
    while (::access(std::string(value).c_str(), F_OK) == 0) ::pause();
  } else if (name == "--inherited") {
    edge.inherited = value;
  } else if (name == "--port-if-not") {
    // Another configuration: no TCP port at all while the file is there.
    edge.no_port = ::access(std::string(value).c_str(), F_OK) == 0;
  } else {
    return false;
  }
  return true;
}

void add_edge_routes(web::Application& app) {
  app.add_route({"/whoami", web::handler<WhoAmI>});
  app.add_route({"/whoami/later", web::handler<WhoAmILater>});
  app.get("/pid", [] { return std::to_string(::getpid()); });
  app.get("/notify-ready", [] {
    notify_ready();
    return "ready";
  });
}

}  // namespace wire
