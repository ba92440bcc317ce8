// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "http/percent.hpp"
#include "web/exchange.hpp"

#include <squall/base/error.hpp>
#include <squall/web/request_handler.hpp>

#include <algorithm>
#include <string>
#include <utility>

// Who sends a request, and what becomes of those who are nobody.
namespace squall::web {
namespace {

// RFC 3986 §3.1; a path has none.
bool has_scheme(std::string_view url) noexcept {
  const std::size_t colon = url.find(':');
  return colon != std::string_view::npos &&
         url.substr(0, colon).find_first_of("/?#") == std::string_view::npos;
}

/// Browsers take a backslash for a slash, skip white space and controls, and take `//host` for
/// another host.
bool leads_to(std::string_view url, std::string_view own_origin) noexcept {
  const bool clean = std::all_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '\\';
  });
  if (!clean) return false;
  if (url.starts_with('/')) return !url.starts_with("//");
  if (!url.starts_with(own_origin)) return false;
  const std::string_view rest = url.substr(own_origin.size());
  return rest.empty() || rest.front() == '/' || rest.front() == '?' || rest.front() == '#';
}

Task<> load_and_prepare(RequestHandler* handler) {
  Task<> loading = handler->load_current_user();
  co_await loading;
  if (handler->is_finished()) co_return;
  Task<> prepared = handler->prepare();
  co_await prepared;
}

}  // namespace

Visitor& Exchange::visitor() {
  if (!visitor_) visitor_ = std::make_unique<Visitor>();
  return *visitor_;
}

void Exchange::forget_visitor() noexcept {
  if (visitor_->session && visitor_->session->is_changed() && status_ < 400) {
    log::write(log::Level::error, "app",
               "changes of a session are lost: they are kept by `co_await session.save();`");
  }
  visitor_->clear();
}

Task<> Exchange::prepare() {
  if (!spec_->factory()->type.loads_user) return handler_->prepare();
  return load_and_prepare(handler_);
}

bool Exchange::lets_in() {
  const bool asks = (spec_->factory()->type.authenticated || scope_->authenticated) && !refuses_;
  if (!asks || handler_->current_user()) return true;
  turn_away();
  return false;
}

void Exchange::turn_away() {
  const detail::HandlerType& type = spec_->factory()->type;
  const http::Method method = head_->method();
  if (type.socket != nullptr || type.events != nullptr ||
      (method != http::Method::get && method != http::Method::head)) {
    throw HTTPError(403);
  }
  std::string url = handler_->get_login_url();
  if (url.find('?') == std::string::npos) {
    const std::string page = has_scheme(url) ? request_.full_url() : std::string(request_.uri());
    url += "?next=" + http::percent_encode(page);
  }
  handler_->redirect(url);
}

Task<> RequestHandler::load_current_user() { return {}; }
OptionalString RequestHandler::get_current_user() { return {}; }

const OptionalString& RequestHandler::current_user() {
  Visitor& visitor = exchange().visitor();
  if (!visitor.user_is_known) {
    OptionalString user = exchange().whose_hooks(*this).get_current_user();
    if (!visitor.user_is_known) visitor.user = std::move(user);  // it may have set one, and more
    visitor.user_is_known = true;
  }
  return visitor.user;
}

void RequestHandler::set_current_user(OptionalString user) {
  Visitor& visitor = exchange().visitor();
  visitor.drop_object();
  visitor.user = std::move(user);
  visitor.user_is_known = true;
}

void RequestHandler::keep_user(OptionalString user, void* object, const std::type_info& type,
                               void (*destroy)(void*) noexcept) {
  try {
    set_current_user(std::move(user));
  } catch (...) {
    destroy(object);
    throw;
  }
  Visitor& visitor = exchange().visitor();
  visitor.object = object;
  visitor.object_type = &type;
  visitor.destroy = destroy;
}

void* RequestHandler::user_object(const std::type_info& type) {
  if (!current_user()) return nullptr;
  const Visitor& visitor = exchange().visitor();
  return visitor.object != nullptr && *visitor.object_type == type ? visitor.object : nullptr;
}

const std::string& RequestHandler::require_user() {
  const OptionalString& user = current_user();
  if (user) return *user;
  exchange().turn_away();
  throw Finish();
}

std::string RequestHandler::get_login_url() {
  if (const std::string& url = exchange().scope().login_url; !url.empty()) return url;
  require_setting("login_url", "sending users to log in");
  return std::string(settings().login_url);
}

std::string RequestHandler::get_next_url(std::string_view otherwise) {
  std::string next = get_argument("next", "");
  std::string own(request().protocol());
  own.append("://").append(request().host());
  return leads_to(next, own) ? next : std::string(otherwise);
}

void RequestHandler::require_setting(std::string_view name, std::string_view feature) const {
  const Settings& set = settings();
  bool is_set = false;
  if (name == "cookie_secret" || name == "cookie_secrets") {
    is_set = !set.cookie_secret.empty() || !exchange().worker().application().cookie_keys.empty();
  } else if (name == "login_url") {
    is_set = !set.login_url.empty();
  } else if (name == "static_path") {
    is_set = !set.static_path.empty();
  } else if (name == "xsrf_cookies") {
    is_set = set.xsrf_cookies;
  } else {
    throw UsageError("require_setting() knows no setting \"" + std::string(name) + "\"");
  }
  if (!is_set) {
    throw UsageError(std::string(feature) + " needs Settings::" + std::string(name) +
                     ": set it where the Application is made");
  }
}

void RequestHandler::log_exception(std::exception_ptr error) {
  exchange().write_down(std::move(error));
}

}  // namespace squall::web
