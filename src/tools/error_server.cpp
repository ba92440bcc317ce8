// SPDX-License-Identifier: Apache-2.0
#include "tools/error_server.hpp"

#include "http/html.hpp"

#include <squall/web/request_handler.hpp>

#include <utility>

namespace squall::tools {
namespace {

constexpr std::string_view style =
    "body { font: 15px/1.5 sans-serif; margin: 2rem; color: #1b1b1f }"
    "h1 { font-size: 1.3rem; color: #b3261e }"
    "pre { font: 13px/1.45 monospace; background: #f6f6f8; padding: 1rem; overflow: auto }";

struct ErrorPage : web::RequestHandler {
  ErrorPage(ErrorText what, std::string script)
      : error(std::move(what)), element(std::move(script)) {}

  Task<> prepare() override {
    set_status(503);
    set_header("Cache-Control", "no-store");
    set_header("Retry-After", "1");
    if (request().header("Accept").find("text/html") == std::string_view::npos) {
      set_header("Content-Type", "text/plain; charset=UTF-8");
      finish(error.heading + "\n\n" + error.text);
      return {};
    }
    const std::string heading = http::escape_html(error.heading);
    std::string page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>";
    page.append(heading).append("</title><style>").append(style).append("</style><h1>");
    page.append(heading).append("</h1><p>This page loads again when the program runs.</p><pre>");
    page.append(http::escape_html(error.text)).append("</pre>").append(element);
    finish(page);
    return {};
  }

  ErrorText error;
  std::string element;
};

}  // namespace

ErrorServer::ErrorServer(std::vector<UniqueFd> sockets, ErrorText error, std::string generation)
    : application_({}, {.shutdown_timeout = Duration::from_seconds(1), .handle_signals = false}) {
  pages_.add_routes(application_);
  application_.set_default_handler(
      web::handler<ErrorPage>(std::move(error), web::reload_element(generation)));
  pages_.set_state({std::move(generation), {}});
  for (UniqueFd& socket : sockets) application_.listen_socket(std::move(socket));
}

}  // namespace squall::tools
