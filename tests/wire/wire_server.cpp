// SPDX-License-Identifier: Apache-2.0
#include "wire_server.hpp"

#include <squall/json.hpp>
#include <squall/net/bind.hpp>
#include <squall/net/inherited_sockets.hpp>
#include <squall/web.hpp>
#include <squall/web/store.hpp>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define WIRE_SANITIZER "address"
#elif defined(__SANITIZE_THREAD__)
#define WIRE_SANITIZER "thread"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WIRE_SANITIZER "address"
#elif __has_feature(thread_sanitizer)
#define WIRE_SANITIZER "thread"
#endif
#endif
#ifndef WIRE_SANITIZER
#define WIRE_SANITIZER ""
#endif

namespace wire {
namespace {

std::mutex counters_mutex;
std::map<std::string, long, std::less<>> counters;

}  // namespace

void count(std::string_view what) {
  const std::scoped_lock lock(counters_mutex);
  ++counters[std::string(what)];
}

std::string counters_as_json() {
  squall::json::object all;
  const std::scoped_lock lock(counters_mutex);
  for (const auto& [name, value] : counters) all[name] = value;
  return squall::json::serialize(all);
}

std::string_view sanitizer() noexcept { return WIRE_SANITIZER; }

}  // namespace wire

namespace {

using namespace squall;

struct Options {
  std::uint16_t port = 0;
  std::string address = "127.0.0.1";
  std::string static_path;
  std::string cookie_secret;
  std::unique_ptr<web::Store> session_store;
  std::string unix_path;
  std::string certificate;
  std::string key;
  std::string ocsp;
  std::string client_ca;
  std::string key_log;
  std::vector<std::pair<std::string, std::string>> more_certificates;  // each with its key
  net::TLSServerOptions tls;
  bool duplicate_routes = false;
  std::string inherited;
  bool no_port = false;
  web::ListenOptions listen;
  web::Settings settings;
};

std::int64_t number(std::string_view name, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument(std::string(name) + " wants a number");
  }
  return value;
}

bool set_tls_option(Options& options, std::string_view name, std::string_view value) {
  using net::ClientCertificate;
  if (name == "--cert") {
    options.certificate = value;
  } else if (name == "--key") {
    options.key = value;
  } else if (name == "--more-cert") {
    options.more_certificates.emplace_back(value, std::string());
  } else if (name == "--more-key") {
    options.more_certificates.back().second = value;
  } else if (name == "--ocsp") {
    options.ocsp = value;
  } else if (name == "--client-ca") {
    options.client_ca = value;
  } else if (name == "--client-cert") {
    options.tls.client_certificate =
        value == "required" ? ClientCertificate::required : ClientCertificate::optional;
  } else if (name == "--refuse-unknown-names") {
    options.tls.refuse_unknown_names = value == "1";
  } else if (name == "--handshake-timeout-ms") {
    options.tls.handshake_timeout = Duration::from_milliseconds(number(name, value));
  } else if (name == "--key-log") {
    options.key_log = value;
  } else if (name == "--redirect-to-https") {
    options.listen.redirect_to_https = static_cast<std::uint16_t>(number(name, value));
  } else if (name == "--hsts-seconds") {
    options.settings.hsts = {.max_age = Duration::from_seconds(number(name, value)),
                             .include_subdomains = true,
                             .preload = false};
  } else if (name == "--reload-on-hangup") {
    options.settings.reload_on_hangup = value == "1";
  } else {
    return false;
  }
  return true;
}

net::TLSContext make_tls_context(Options& options) {
  options.tls.certificate_file = options.certificate;
  options.tls.key_file = options.key;
  options.tls.ocsp_file = options.ocsp;
  options.tls.client_ca_file = options.client_ca;
  options.tls.key_log_file = options.key_log;
  net::TLSContext context = net::TLSContext::server(options.tls);
  for (const auto& [certificate, key] : options.more_certificates) {
    context.add_certificate({.certificate_file = certificate, .key_file = key});
  }
  return context;
}

void set_option(Options& options, std::string_view name, std::string_view value) {
  web::Settings& settings = options.settings;
  const auto bytes = [&] { return static_cast<std::size_t>(number(name, value)); };
  const auto milliseconds = [&] { return Duration::from_milliseconds(number(name, value)); };
  if (name == "--port") {
    options.port = static_cast<std::uint16_t>(number(name, value));
  } else if (name == "--address") {
    options.address = value;
  } else if (name == "--unix") {
    options.unix_path = value;
  } else if (name == "--workers") {
    options.listen.workers = bytes();
  } else if (name == "--static") {
    options.static_path = value;
  } else if (name == "--cookie-secret") {
    options.cookie_secret = value;
  } else if (name == "--session-store") {
    if (value == "memory") {
      options.session_store = std::make_unique<web::MemoryStore>();
    } else {
      options.session_store = std::make_unique<web::FileStore>(value);
    }
  } else if (name == "--xsrf") {
    settings.xsrf_cookies = value.find("cookies") != std::string_view::npos;
    settings.xsrf_check_origin = value.find("origin") != std::string_view::npos;
  } else if (name == "--debug") {
    settings.debug = value == "1";
  } else if (name == "--access-log") {
    settings.access_log = value == "1";
  } else if (name == "--duplicate-routes") {
    options.duplicate_routes = value == "1";
  } else if (name == "--max-header") {
    settings.max_header_size = bytes();
  } else if (name == "--max-body") {
    settings.max_body_size = bytes();
  } else if (name == "--max-streamed-body") {
    settings.max_streamed_body_size = bytes();
  } else if (name == "--min-body-rate") {
    settings.min_body_rate = static_cast<std::uint32_t>(bytes());
  } else if (name == "--min-write-rate") {
    settings.min_write_rate = static_cast<std::uint32_t>(bytes());
  } else if (name == "--max-requests") {
    settings.max_requests_per_connection = static_cast<std::uint32_t>(bytes());
  } else if (name == "--max-write-buffer") {
    settings.max_write_buffer = bytes();
  } else if (name == "--max-message") {
    settings.websocket_max_message_size = bytes();
  } else if (name == "--max-queue") {
    settings.websocket_max_queue = bytes();
  } else if (name == "--ws-ping-interval-ms") {
    settings.websocket_ping_interval = milliseconds();
  } else if (name == "--ws-ping-timeout-ms") {
    settings.websocket_ping_timeout = milliseconds();
  } else if (name == "--header-timeout-ms") {
    settings.header_timeout = milliseconds();
  } else if (name == "--body-timeout-ms") {
    settings.body_timeout = milliseconds();
  } else if (name == "--idle-timeout-ms") {
    settings.idle_connection_timeout = milliseconds();
  } else if (name == "--write-timeout-ms") {
    settings.write_timeout = milliseconds();
  } else if (name == "--shutdown-timeout-ms") {
    settings.shutdown_timeout = milliseconds();
  } else if (wire::Edge edge{settings, options.listen, options.inherited, options.no_port};
             !set_tls_option(options, name, value) && !wire::set_edge_option(edge, name, value)) {
    throw std::invalid_argument("unknown option " + std::string(name));
  }
}

void serve(Options& options) {
  // Its array must live until the Application has copied it.
  static const std::initializer_list<std::string_view> origins = {"https://friend.example",
                                                                  "http://friend.example:8080"};
  options.settings.websocket_allowed_origins = origins;
  options.settings.static_path = options.static_path;
  options.settings.cookie_secret = options.cookie_secret;
  options.settings.session_store = options.session_store.get();
  options.settings.login_url = "/login";
  web::Application app({}, options.settings);
  wire::add_http_routes(app);
  wire::add_output_routes(app);
  wire::add_streaming_routes(app);
  wire::add_content_routes(app);
  wire::add_websocket_routes(app);
  wire::add_socket_feature_routes(app);
  wire::add_tls_routes(app);
  wire::add_security_routes(app);
  wire::add_auth_routes(app);
  wire::add_edge_routes(app);
  if (options.duplicate_routes) {
    app.get("/twice/{name}", [](std::string name) { return name; });
    app.get("/twice/{other}", [](std::string other) { return other; });
  }
  if (!options.unix_path.empty()) app.listen_unix(options.unix_path);
  options.listen.address = options.address;
  net::TLSContext tls;
  if (!options.certificate.empty()) {
    tls = make_tls_context(options);
    options.listen.tls_context = &tls;
  }
  std::uint16_t port = 0;
  if (!options.inherited.empty()) {
    for (auto& inherited : net::inherited_sockets(options.inherited)) {
      port = net::local_port(inherited.socket.get());
      app.listen_socket(std::move(inherited.socket), options.listen);
    }
  } else if (!options.no_port) {
    port = app.listen(options.port, options.listen);
  }
  std::printf("listening on %u\n", static_cast<unsigned>(port));
  std::fflush(stdout);
  IOLoop::current().start();
}

}  // namespace

int main(int argc, char** argv) {
  // A test that is killed leaves no server behind.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    Options options;
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument = argv[i];
      const std::size_t equals = argument.find('=');
      if (equals == std::string_view::npos && i + 1 == argc) {
        throw std::invalid_argument(std::string(argument) + " wants a value");
      }
      if (equals == std::string_view::npos) {
        set_option(options, argument, argv[++i]);
      } else {
        set_option(options, argument.substr(0, equals), argument.substr(equals + 1));
      }
    }
    serve(options);
    // All handlers have had their last call by now.
    std::printf("stopped %s\n", wire::counters_as_json().c_str());
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "UsageError: %s\n", error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 2;
}
