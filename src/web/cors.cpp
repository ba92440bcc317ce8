// SPDX-License-Identifier: Apache-2.0
#include "http/ascii.hpp"
#include "http/tokens.hpp"
#include "web/exchange.hpp"

#include <squall/base/error.hpp>
#include <squall/web/cors.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace squall::web {
namespace {

using List = std::vector<std::string>;

List list_of(std::initializer_list<std::string_view> from) { return {from.begin(), from.end()}; }

bool has(const List& list, std::string_view wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}
bool has_name(const List& list, std::string_view wanted) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& one) { return http::ascii::equal(one, wanted); });
}

std::string joined(const List& list) {
  std::string text;
  for (const std::string& one : list) {
    if (!text.empty()) text += ", ";
    text += one;
  }
  return text;
}

/// scheme "://" host [":" port], in the only spelling that browsers use.
bool is_origin(std::string_view text) {
  const std::size_t at = text.find("://");
  if (at == std::string_view::npos || at == 0 || at + 3 == text.size()) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) {
                       return c > ' ' && c < 0x7f && !(c >= 'A' && c <= 'Z') && c != '*' &&
                              c != '"';
                     }) &&
         text.find_first_of("/?#@", at + 3) == std::string_view::npos;
}

class CORS {
 public:
  explicit CORS(const CORSOptions& options)
      : origins_(list_of(options.origins)),
        headers_(list_of(options.headers)),
        methods_(list_of(options.methods)),
        allow_origin_(options.allow_origin),
        credentials_(options.credentials) {
    check(options);
    if (methods_.empty()) methods_ = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    any_origin_ = has(origins_, "*");
    any_header_ = has(headers_, "*");
    allowed_methods_ = joined(methods_);
    exposed_ = joined(list_of(options.exposed_headers));
    if (options.max_age > Duration()) {
      max_age_ = std::to_string(options.max_age.milliseconds() / 1000);
    }
  }

  void before(RequestHandler& request) const {
    const HTTPServerRequest& asked = request.request();
    const std::string_view method = asked.header("Access-Control-Request-Method");
    if (asked.method() != http::Method::options || method.empty() || !asked.has_header("Origin")) {
      return;
    }
    // A preflight (Fetch §4.8). Its answer is of these fields, too.
    Exchange& out = Exchange::of(request);
    out.vary_on("Access-Control-Request-Method");
    out.vary_on("Access-Control-Request-Headers");
    if (!allows(asked.header("Origin"))) {
      refuse(request, "this origin may not use the resource");
    } else if (!has(methods_, method)) {
      refuse(request, "this method is not allowed to other origins");
    } else if (!allows_headers(asked)) {
      refuse(request, "a header field of the request is not allowed to other origins");
    } else {
      request.set_status(204);
      request.set_header("Access-Control-Allow-Methods", allowed_methods_);
      const std::string_view fields = asked.header("Access-Control-Request-Headers");
      if (!fields.empty()) request.set_header("Access-Control-Allow-Headers", fields);
      if (!max_age_.empty()) request.set_header("Access-Control-Max-Age", max_age_);
      request.finish();
    }
  }

  void after(RequestHandler& request) const {
    if (any_origin_) {
      request.set_header("Access-Control-Allow-Origin", "*");
    } else {
      // Also without an Origin: a cache must not give that answer to a page of another.
      Exchange::of(request).vary_on("Origin");
      const std::string_view origin = request.request().header("Origin");
      if (origin.empty() || !allows(origin)) return;
      request.set_header("Access-Control-Allow-Origin", origin);
      if (credentials_) request.set_header("Access-Control-Allow-Credentials", "true");
    }
    if (!exposed_.empty() && request.request().method() != http::Method::options) {
      request.set_header("Access-Control-Expose-Headers", exposed_);
    }
  }

 private:
  void check(const CORSOptions& options) const {
    if (origins_.empty() && allow_origin_ == nullptr) {
      throw UsageError("cors() allows nobody: give it origins, or allow_origin");
    }
    for (const std::string& origin : origins_) {
      if (origin != "*" && origin != "null" && !is_origin(origin)) {
        throw UsageError("cors(): \"" + origin +
                         "\" is no origin: it is like \"https://example.com:8443\", in lower case, "
                         "without a slash at the end");
      }
      if (origin == "*" && (origins_.size() > 1 || allow_origin_ != nullptr)) {
        throw UsageError("cors(): \"*\" is any origin; others beside it have no use");
      }
    }
    if (credentials_) {
      const List exposed = list_of(options.exposed_headers);
      if (has(origins_, "*") || has(headers_, "*") || has(methods_, "*") || has(exposed, "*")) {
        throw UsageError(
            "cors(): with credentials, \"*\" is not for browsers, and would let every page act as "
            "the user: name what is allowed");
      }
      if (has(origins_, "null")) {
        throw UsageError(
            "cors(): \"null\" is the origin of any sandboxed page; not with credentials");
      }
    }
    for (const auto* list : {&options.methods, &options.headers, &options.exposed_headers}) {
      for (const std::string_view name : *list) {
        if (!http::is_token(name)) {
          throw UsageError("cors(): \"" + std::string(name) + "\" is no method or field name");
        }
      }
    }
    if (has(methods_, "*"))
      throw UsageError("cors(): methods are named; leave them out for the usual");
  }

  bool allows(std::string_view origin) const {
    return any_origin_ || has(origins_, origin) ||
           (allow_origin_ != nullptr && allow_origin_(origin));
  }

  bool allows_headers(const HTTPServerRequest& asked) const {
    if (any_header_) return true;
    static const List always = {"Accept", "Accept-Language", "Content-Language", "Content-Type"};
    http::ListReader names(asked.header("Access-Control-Request-Headers"));
    while (names.next()) {
      const std::string_view name = names.element();
      if (!name.empty() && !has_name(always, name) && !has_name(headers_, name)) return false;
    }
    return true;
  }

  static void refuse(RequestHandler& request, std::string_view why) {
    request.set_status(403);
    request.set_header("Content-Type", "text/plain; charset=UTF-8");
    request.write("CORS: ");
    request.write(why);
    request.finish("\n");
  }

  List origins_;
  List headers_;
  List methods_;
  bool (*allow_origin_)(std::string_view origin);
  bool credentials_;
  bool any_origin_ = false;
  bool any_header_ = false;
  std::string allowed_methods_;
  std::string exposed_;
  std::string max_age_;
};

}  // namespace

Middleware cors(const CORSOptions& options) { return CORS(options); }

}  // namespace squall::web
