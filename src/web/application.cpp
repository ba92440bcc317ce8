// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "web/application_impl.hpp"
#include "web/worker.hpp"

#include <squall/base/error.hpp>
#include <squall/net/fork_processes.hpp>
#include <squall/web/application.hpp>
#include <squall/web/static_file_handler.hpp>

#include <csignal>
#include <exception>
#include <utility>

namespace squall::web {
namespace {

std::string hsts_value(const HSTS& hsts) {
  if (hsts.max_age <= Duration()) return {};
  std::string value = "max-age=" + std::to_string(hsts.max_age.milliseconds() / 1000);
  if (hsts.include_subdomains) value += "; includeSubDomains";
  if (hsts.preload) value += "; preload";
  return value;
}

Forwarding::Scheme scheme_of(std::string_view protocol) {
  if (protocol.empty()) return Forwarding::Scheme::unknown;
  if (protocol == "http") return Forwarding::Scheme::http;
  if (protocol == "https") return Forwarding::Scheme::https;
  throw UsageError("Settings::protocol is \"http\" or \"https\", not \"" + std::string(protocol) +
                   "\"");
}

}  // namespace

Application::Application() : Application({}, {}) {}

Application::Application(std::initializer_list<Route> routes, const Settings& settings)
    : impl_(new Impl(*this)) {
  try {
    Impl& impl = *impl_;
    impl.static_path = settings.static_path;
    impl.static_url_prefix = settings.static_url_prefix;
    for (const std::string_view origin : settings.websocket_allowed_origins) {
      impl.allowed_origins.emplace_back(origin);
    }
    websocket::check(settings.websocket_compression);
    for (const std::string_view network : settings.trusted_proxies) {
      impl.trusted_proxies.add(network);
    }
    impl.scheme = scheme_of(settings.protocol);
    for (const MimeType& known : settings.mime_types) {
      impl.mime_types.emplace_back(known.extension, known.type);
    }
    impl.static_default_filename = settings.static_options.default_filename;
    impl.hsts = hsts_value(settings.hsts);
    impl.translations.emplace(settings.translations != nullptr ? *settings.translations
                                                               : locale::default_translations());
    impl.default_host = settings.default_host;
    impl.routing.set_default_host(impl.default_host);
    impl.settings = settings;
    impl.settings.default_host = impl.default_host;
    impl.settings.translations = &*impl.translations;
    impl.settings.static_path = impl.static_path;
    impl.settings.static_url_prefix = impl.static_url_prefix;
    impl.settings.static_options.default_filename = impl.static_default_filename;
    static constexpr std::initializer_list<MimeType> no_types;
    impl.settings.mime_types = no_types;
    impl.pid_file = settings.pid_file;
    impl.settings.pid_file = impl.pid_file;
    if (settings.reload_on_hangup && settings.restart_on_hangup) {
      throw UsageError("restart_on_hangup reads certificates anew as well: leave reload_on_hangup");
    }
    static constexpr std::initializer_list<std::string_view> none;
    impl.settings.websocket_allowed_origins = none;  // the caller's array ends with this call
    impl.settings.trusted_proxies = none;
    take_security_settings(impl, settings);
    impl.settings.protocol = impl.scheme == Forwarding::Scheme::unknown ? std::string_view()
                             : impl.scheme == Forwarding::Scheme::http  ? "http"
                                                                        : "https";
    if (!impl.static_path.empty()) {
      const std::string& prefix = impl.static_url_prefix;
      if (!prefix.starts_with('/') || !prefix.ends_with('/')) {
        throw UsageError("static_url_prefix begins and ends with a slash, unlike \"" + prefix +
                         "\"");
      }
      impl.routing.table().add_pattern(
          prefix + "{path...}",
          handler<StaticFileHandler>(std::string(impl.static_path), impl.settings.static_options));
    }
    for (const Route& route : routes) add_route(route);
  } catch (...) {
    delete impl_;
    throw;
  }
}

Application::~Application() {
  for (const auto& thread : impl_->threads) {
    try {
      thread->loop->post([worker = thread->worker, loop = thread->loop] {
        worker->server().abort_all();
        loop->stop();
      });
    } catch (const std::exception& error) {
      log::format(log::Level::error, "server", "cannot stop a worker: {}", error.what());
    }
    thread->thread.join();
  }
  if (impl_->loop != nullptr) {
    impl_->loop->remove_timeout(impl_->serves_timer);
    impl_->loop->remove_timeout(impl_->shutdown_timer);
    if (impl_->settings.handle_signals) {
      impl_->loop->remove_signal_handler(SIGTERM);
      impl_->loop->remove_signal_handler(SIGINT);
    }
    if (handles_hangup(impl_->settings)) impl_->loop->remove_signal_handler(SIGHUP);
  }
  impl_->main_worker.reset();  // before what its requests look at
  delete impl_;
}

void Application::restart() {
  if (impl_->loop == nullptr) throw UsageError("restart() is for an application that listens");
  if (task_id() >= 0) {
    throw UsageError(
        "a worker of fork_processes() is replaced by its supervisor: send that SIGHUP");
  }
  impl_->restart->begin();
}

namespace {
void forbid_after_listen(const Application::Impl& impl) {
  if (impl.listening) throw UsageError("routes are added before listen()");
}
}  // namespace

void Application::use(Middleware middleware) {
  if (impl_->listening) throw UsageError("middleware is added before listen()");
  impl_->routing.use(std::move(middleware));
}

void Application::add_route(const Route& route) {
  forbid_after_listen(*impl_);
  impl_->routing.add(route);
}

void Application::add_function(http::Method method, std::string_view pattern, HandlerSpec target,
                               const RouteOptions& options) {
  forbid_after_listen(*impl_);
  Route route(pattern, std::move(target), options);
  route.method = method;
  impl_->routing.add(route);
}

void Application::add_handlers(std::string_view host, std::initializer_list<Route> routes) {
  forbid_after_listen(*impl_);
  impl_->routing.add_host(HostPattern(host), routes);
}

void Application::add_handlers(const re& host, std::initializer_list<Route> routes) {
  forbid_after_listen(*impl_);
  impl_->routing.add_host(HostPattern(host), routes);
}

std::string Application::reverse_url_of(std::string_view name, const detail::URLArgument* arguments,
                                        std::size_t count) const {
  return impl_->routing.reverse_url(name, arguments, count);
}

void Application::set_default_handler(HandlerSpec handler) {
  if (impl_->listening) throw UsageError("the default handler is set before listen()");
  impl_->default_handler = std::move(handler);
}

void Application::reload_certificates() {
  for (const net::TLSContext& context : impl_->tls_contexts) context.reload();
}

const Settings& Application::settings() const noexcept { return impl_->settings; }

namespace {

void worker_is_empty(Application::Impl& impl) {
  if (impl.workers_open == 0) return;
  --impl.workers_open;
  if (impl.workers_open > 0) return;
  log::write(log::Level::info, "server", "all requests have finished; stopping");
  impl.loop->remove_timeout(impl.shutdown_timer);
  impl.loop->stop();
}

/// The last connection is gone, but its last bytes may still be on their way out, and tasks of
/// answered requests may run.
void wait_for_rest(Application::Impl& impl, Worker& worker, IOLoop& main_loop) {
  // The application may be destroyed first; then nobody waits any more.
  const std::weak_ptr<const char> alive = impl.alive;
  if (worker.core().busy_streams() == 0 && worker.background().count() == 0) {
    main_loop.post([alive, &impl] {
      if (!alive.expired()) worker_is_empty(impl);
    });
    return;
  }
  IOLoop::current().call_later(Duration::from_milliseconds(5), [alive, &impl, &worker, &main_loop] {
    if (!alive.expired()) wait_for_rest(impl, worker, main_loop);
  });
}

/// On the worker's own loop: stops accepting and tells the main loop when the last connection is
/// gone.
void drain_worker(Application::Impl& impl, Worker& worker, IOLoop& main_loop) {
  using Idle = server::HTTPServer::Idle;
  worker.server().drain(impl.restart->is_replaced() ? Idle::keep : Idle::close);
  const auto when_empty = [&impl, &worker, &main_loop] { wait_for_rest(impl, worker, main_loop); };
  if (worker.server().connection_count() == 0) {
    when_empty();
  } else {
    worker.server().set_empty_callback(when_empty);
  }
}

}  // namespace

void Application::shutdown() {
  Impl& impl = *impl_;
  if (impl.loop == nullptr) return;
  if (impl.shutting_down) {
    log::write(log::Level::warning, "server", "stopping at once");
    impl.loop->stop();
    return;
  }
  impl.shutting_down = true;
  impl.restart->shutting_down();
  log::format(log::Level::info, "server", "shutting down; requests have {} s to finish",
              impl.settings.shutdown_timeout.seconds());
  impl.workers_open = 1 + impl.threads.size();
  IOLoop& main_loop = *impl.loop;
  impl.shutdown_timer = main_loop.call_later(impl.settings.shutdown_timeout, [&impl] {
    log::write(log::Level::warning, "server",
               "some requests did not finish in time; they are broken off");
    impl.loop->stop();
  });
  for (const auto& thread : impl.threads) {
    thread->loop->post(
        [&impl, worker = thread->worker, &main_loop] { drain_worker(impl, *worker, main_loop); });
  }
  drain_worker(impl, *impl.main_worker, main_loop);
}

}  // namespace squall::web
