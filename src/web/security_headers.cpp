// SPDX-License-Identifier: Apache-2.0
#include "http/tokens.hpp"

#include <squall/base/error.hpp>
#include <squall/web/request_handler.hpp>
#include <squall/web/security_headers.hpp>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

void check_one_of(std::string_view name, std::string_view value,
                  std::initializer_list<std::string_view> known) {
  if (value.empty() || std::find(known.begin(), known.end(), value) != known.end()) return;
  std::string text = "security_headers(): " + std::string(name) + " is not \"";
  text.append(value).append("\" but one of");
  for (const std::string_view one : known) text.append(" ").append(one);
  throw UsageError(text);
}

class SecurityHeaders {
 public:
  explicit SecurityHeaders(const SecurityHeadersOptions& options) {
    check_one_of("X-Frame-Options", options.frame_options, {"DENY", "SAMEORIGIN"});
    http::ListReader policies(options.referrer_policy);  // the last one that a browser knows counts
    while (policies.next()) {
      check_one_of(
          "Referrer-Policy", policies.element(),
          {"no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin",
           "origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url"});
    }
    check_one_of(
        "Cross-Origin-Opener-Policy", options.cross_origin_opener_policy,
        {"unsafe-none", "same-origin", "same-origin-allow-popups", "noopener-allow-popups"});
    add("X-Content-Type-Options", options.nosniff ? "nosniff" : "");
    add("Referrer-Policy", options.referrer_policy);
    add("X-Frame-Options", options.frame_options);
    add(options.csp_report_only ? "Content-Security-Policy-Report-Only" : "Content-Security-Policy",
        options.content_security_policy);
    add("Permissions-Policy", options.permissions_policy);
    add("Cross-Origin-Opener-Policy", options.cross_origin_opener_policy);
  }

  void after(RequestHandler& request) const {
    for (const auto& [name, value] : fields_) {
      if (request.get_header(name).empty()) request.set_header(name, value);
    }
  }

 private:
  void add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (!http::is_field_value(value)) {
      throw UsageError("security_headers(): the value of " + std::string(name) +
                       " has a line break or another control character");
    }
    fields_.emplace_back(name, value);
  }

  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace

Middleware security_headers(const SecurityHeadersOptions& options) {
  return SecurityHeaders(options);
}

}  // namespace squall::web
