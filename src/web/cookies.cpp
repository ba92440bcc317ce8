// SPDX-License-Identifier: Apache-2.0
#include "http/cookie.hpp"
#include "http/tokens.hpp"
#include "web/cookie_attributes.hpp"
#include "web/exchange.hpp"

#include <squall/base/error.hpp>
#include <squall/web/request_handler.hpp>
#include <squall/web/signed_value.hpp>

#include <string>
#include <time.h>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

constexpr std::int64_t day_seconds = 24 * 60 * 60;

// RFC 6265 wants one Cookie field; HTTP/2 clients may send several.
template <class Visit>
void for_each_cookie_field(const http::RequestHead& head, Visit&& visit) {
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (head.field_id(i) == http::FieldId::cookie) visit(head.field_value(i));
  }
}

}  // namespace

std::string RequestHandler::get_cookie(std::string_view name,
                                       std::string_view default_value) const {
  std::string result(default_value);
  for_each_cookie_field(exchange().head(), [&](std::string_view field) {
    // The last pair counts.
    if (const auto found = http::find_cookie(field, name)) result = http::unquote_cookie(*found);
  });
  return result;
}

void RequestHandler::set_cookie(std::string_view name, std::string_view value,
                                const CookieOptions& options) {
  http::SetCookie cookie = cookie_with(name, options);
  cookie.value = value;
  if (options.expires != 0) {
    cookie.expires = options.expires;
  } else if (options.expires_days != 0) {
    cookie.expires = ::time(nullptr) + options.expires_days * day_seconds;
  }
  if (options.max_age >= 0) cookie.max_age = options.max_age;
  Result<std::string> line = http::serialize(cookie);
  if (!line) {
    throw UsageError("cookie \"" + std::string(name) + "\": " + line.error().message());
  }
  std::string key(name);
  key.append(1, ';').append(options.domain).append(1, ';').append(options.path);
  exchange().set_cookie(std::move(key), std::move(*line));
}

void RequestHandler::clear_cookie(std::string_view name, const CookieOptions& options) {
  CookieOptions gone = options;
  gone.expires = 0;
  gone.expires_days = -365;
  gone.max_age = -1;
  if (http::has_secure_prefix(name)) gone.secure = true;  // as it must have been set
  set_cookie(name, "", gone);
}

void RequestHandler::clear_all_cookies(const CookieOptions& options) {
  std::vector<std::string> names;  // set_cookie() may not find the request changed under it
  for_each_cookie_field(exchange().head(), [&](std::string_view field) {
    http::parse_cookie(field, [&](std::string_view name, std::string_view) {
      if (http::is_token(name)) names.emplace_back(name);  // others cannot be set either
    });
  });
  for (const std::string& name : names) clear_cookie(name, options);
}

std::string RequestHandler::create_signed_value(std::string_view name, std::string_view value,
                                                int version) const {
  const Application::Impl& impl = exchange().worker().application();
  return web::create_signed_value(impl.signing_secret(), name, value,
                                  {.version = version, .key_version = impl.settings.key_version});
}

void RequestHandler::set_signed_cookie(std::string_view name, std::string_view value,
                                       const SignedCookieOptions& options) {
  set_cookie(name, create_signed_value(name, value, options.version), options);
}

OptionalString RequestHandler::get_signed_cookie(std::string_view name, double max_age_days,
                                                 int min_version) const {
  return decode_signed_value(exchange().worker().application().signing_secret(), name,
                             get_cookie(name),
                             {.max_age_days = max_age_days, .min_version = min_version});
}

int RequestHandler::get_signed_cookie_key_version(std::string_view name) const {
  static_cast<void>(exchange().worker().application().signing_secret());
  return get_signature_key_version(get_cookie(name)).value_or(-1);
}

}  // namespace squall::web
