// SPDX-License-Identifier: Apache-2.0
#include "web/application_impl.hpp"
#include "web/cookie_attributes.hpp"
#include "web/worker.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <string>

// What an application keeps of its settings about cookies, users and forged requests.
namespace squall::web {
namespace {

void take_cookie_keys(Application::Impl& impl, const Settings& settings) {
  impl.cookie_secret = settings.cookie_secret;
  impl.settings.cookie_secret = impl.cookie_secret;
  static constexpr std::initializer_list<CookieSecret> none;
  impl.settings.cookie_secrets = none;  // the caller's array ends with this call
  if (settings.cookie_secrets.size() == 0) {
    if (settings.key_version >= 0) {
      throw UsageError("Settings::key_version is of cookie_secrets: give these, or leave it");
    }
    return;
  }
  if (!settings.cookie_secret.empty()) {
    throw UsageError("Settings has cookie_secret and cookie_secrets: give the one as {0, secret}");
  }
  impl.cookie_key_texts.reserve(settings.cookie_secrets.size());  // views into it: it stays
  for (const CookieSecret& one : settings.cookie_secrets) {
    const bool known =
        std::any_of(impl.cookie_keys.begin(), impl.cookie_keys.end(),
                    [&](const CookieSecret& other) { return other.version == one.version; });
    if (one.version < 0 || one.key.empty() || known) {
      throw UsageError(
          "Settings::cookie_secrets: each version is 0 or more, stands there once, and has a key; "
          "unlike version " +
          std::to_string(one.version));
    }
    impl.cookie_key_texts.emplace_back(one.key);
    impl.cookie_keys.push_back({one.version, impl.cookie_key_texts.back()});
  }
  if (impl.signing_secret().key(static_cast<std::uint64_t>(settings.key_version)).empty()) {
    throw UsageError(
        "Settings::key_version says which of cookie_secrets signs: it is none of them");
  }
}

void keep(std::string& text, std::string_view& view) {
  text = view;
  view = text;
}

/// Keeps what the views of `name` and of `options` point to.
template <class Options>
void keep_cookie(Application::Impl::CookieTexts& texts, std::string_view& name, Options& options) {
  keep(texts.name, name);
  keep(texts.domain, options.domain);
  keep(texts.path, options.path);
  keep(texts.samesite, options.samesite);
}

void check_cookie(std::string_view setting, std::string_view name, const CookieOptions& options) {
  const Result<std::string> line = http::serialize(cookie_with(name, options));
  if (!line) throw UsageError(std::string(setting) + ": " + line.error().message());
}

void take_session(Application::Impl& impl) {
  SessionOptions& options = impl.settings.session;
  keep_cookie(impl.session_cookie, options.cookie_name, options);
  check_cookie("Settings::session", options.cookie_name, attributes_of(options));
  if (options.max_age < Duration::from_seconds(1) || options.max_lifetime < Duration()) {
    throw UsageError(
        "Settings::session: max_age is a second or more, and max_lifetime zero (for any) or more");
  }
}

void take_xsrf_cookie(Application::Impl& impl, const Settings& settings) {
  if (settings.xsrf_cookie_version != 1 && settings.xsrf_cookie_version != 2) {
    throw UsageError("Settings::xsrf_cookie_version is 1 or 2, not " +
                     std::to_string(settings.xsrf_cookie_version));
  }
  CookieOptions& options = impl.settings.xsrf_cookie_options;
  keep_cookie(impl.xsrf_cookie, impl.settings.xsrf_cookie_name, options);
  check_cookie("Settings::xsrf_cookie_options", impl.settings.xsrf_cookie_name, options);
}

void take_allowed_origins(Application::Impl& impl, const Settings& settings) {
  static constexpr std::initializer_list<std::string_view> none;
  impl.settings.xsrf_allowed_origins = none;
  for (const std::string_view origin : settings.xsrf_allowed_origins) {
    const std::size_t host = origin.find("://");
    if (host == std::string_view::npos || host == 0 || host + 3 == origin.size() ||
        origin.find('/', host + 3) != std::string_view::npos ||
        origin.find('*') != std::string_view::npos) {
      throw UsageError(
          "Settings::xsrf_allowed_origins: an origin is like \"https://example.com\", "
          "unlike \"" +
          std::string(origin) + "\"");
    }
    impl.xsrf_allowed_origins.emplace_back(origin);
  }
  if (!impl.xsrf_allowed_origins.empty() && !settings.xsrf_check_origin) {
    throw UsageError("Settings::xsrf_allowed_origins is for xsrf_check_origin: turn that on");
  }
}

}  // namespace

void take_security_settings(Application::Impl& impl, const Settings& settings) {
  take_cookie_keys(impl, settings);
  impl.login_url = settings.login_url;
  impl.settings.login_url = impl.login_url;
  take_session(impl);
  take_xsrf_cookie(impl, settings);
  take_allowed_origins(impl, settings);
  impl.checks_forgery = settings.xsrf_cookies || settings.xsrf_check_origin;
}

SigningSecret Application::Impl::signing_secret() const {
  if (!cookie_keys.empty()) return cookie_keys;
  if (cookie_secret.empty()) {
    throw UsageError(
        "signed cookies need a secret: set Settings::cookie_secret (32 random bytes or more, kept "
        "out of the source)");
  }
  return cookie_secret;
}

}  // namespace squall::web
