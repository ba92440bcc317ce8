// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/connection_gate.hpp"
#include "web/autoreload.hpp"
#include "web/forwarding.hpp"
#include "web/https_redirect.hpp"
#include "web/restart.hpp"
#include "web/routing.hpp"

#include <squall/locale/translations.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/net/network.hpp>
#include <squall/web/application.hpp>
#include <squall/web/signed_value.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace squall::web {

class Worker;

struct Application::Impl {
  explicit Impl(Application& self) : application(self) {}

  Application& application;
  Settings settings;
  // What the views in `settings` point to.
  std::string static_path;
  std::string static_url_prefix;
  std::string static_default_filename;
  std::string default_host;
  std::vector<std::pair<std::string, std::string>> mime_types;  // extension, type
  std::string pid_file;
  std::optional<locale::Translations> translations;
  std::vector<std::string> allowed_origins;
  std::string hsts;  // the field's value, or ""
  std::string cookie_secret;
  std::vector<std::string> cookie_key_texts;
  std::vector<CookieSecret> cookie_keys;  // in place of the one secret
  std::string login_url;
  struct CookieTexts {
    std::string name;
    std::string domain;
    std::string path;
    std::string samesite;
  };
  CookieTexts session_cookie;
  CookieTexts xsrf_cookie;
  std::vector<std::string> xsrf_allowed_origins;
  bool checks_forgery = false;  // requests that change something
  net::NetworkSet trusted_proxies;
  Forwarding::Scheme scheme = Forwarding::Scheme::unknown;  // of Settings::protocol
  std::unique_ptr<server::ConnectionGate> gate;             // of all workers; made by listen()

  /// What signs cookies; a UsageError without.
  [[nodiscard]] SigningSecret signing_secret() const;

  Routing routing;
  HandlerSpec default_handler;
  bool listening = false;
  std::vector<net::TLSContext> tls_contexts;                      // of all ports
  std::vector<std::unique_ptr<RedirectToHTTPS>> https_redirects;  // one a port

  IOLoop* loop = nullptr;  // of the thread that listens
  std::unique_ptr<Worker> main_worker;
  struct Thread {
    std::thread thread;
    IOLoop* loop = nullptr;
    Worker* worker = nullptr;
  };
  std::vector<std::unique_ptr<Thread>> threads;

  std::unique_ptr<Restart> restart;        // made by listen()
  TimeoutHandle serves_timer;              // of the loop's first turn
  std::unique_ptr<Autoreload> autoreload;  // in development; made by listen()

  // Shutting down; the main loop's thread only.
  bool shutting_down = false;
  std::size_t workers_open = 0;
  TimeoutHandle shutdown_timer;
  /// Expires with the application, for what waits on a loop that goes on.
  std::shared_ptr<const char> alive = std::make_shared<const char>();
};

/// Copies and checks the settings of cookies, users and forged requests.
void take_security_settings(Application::Impl& impl, const Settings& settings);

/// Whether SIGHUP is the application's.
[[nodiscard]] inline bool handles_hangup(const Settings& settings) noexcept {
  return settings.reload_on_hangup || settings.restart_on_hangup;
}

}  // namespace squall::web
