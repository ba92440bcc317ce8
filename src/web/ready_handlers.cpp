// SPDX-License-Identifier: Apache-2.0
#include "base/number.hpp"
#include "http/percent.hpp"
#include "web/exchange.hpp"

#include <squall/base/error.hpp>
#include <squall/web/ready_handlers.hpp>

#include <algorithm>

namespace squall::web {
namespace {

/// The path argument of a place in a RedirectHandler's URL: by name, or by number from 0.
std::size_t argument_index(const RouteTarget* target, std::string_view place,
                           std::string_view url) {
  if (target != nullptr) {
    const std::vector<std::string>& names = target->names;
    const auto named = std::find(names.begin(), names.end(), place);
    if (!place.empty() && named != names.end()) {
      return static_cast<std::size_t>(named - names.begin());
    }
    std::size_t number = 0;
    if (read_number(place, number) && number < names.size()) return number;
  }
  throw UsageError("RedirectHandler(\"" + std::string(url) +
                   "\"): the route has no path argument {" + std::string(place) + "}");
}

/// Whether what is added to a URL is of its path: not of the host, nor behind it.
bool is_path(std::string_view url, std::string_view added) {
  if (url.find_first_of("?#") != std::string_view::npos) return false;
  const std::size_t scheme = url.find("://");
  const bool in_host =
      scheme != std::string_view::npos && url.find('/', scheme + 3) == std::string_view::npos;
  return !in_host || added.starts_with('/');
}

}  // namespace

ErrorHandler::ErrorHandler(int status) : status_(status) {
  if (status < 400 || status > 599) {
    throw UsageError("an ErrorHandler has a status of 400 to 599, not " + std::to_string(status));
  }
}

void ErrorHandler::refuse() const { throw HTTPError(status_); }

RedirectHandler::RedirectHandler(std::string_view url, bool permanent)
    : RedirectHandler(url, permanent ? 301 : 302) {}

RedirectHandler::RedirectHandler(std::string_view url, int status) : url_(url), status_(status) {
  if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
    throw UsageError("a RedirectHandler has a status of 301, 302, 303, 307 or 308, not " +
                     std::to_string(status));
  }
}

void RedirectHandler::send() {
  const RouteTarget* const target = exchange().target();
  std::string url;
  for (std::size_t at = 0; at < url_.size();) {
    const std::size_t begin = std::min(url_.find('{', at), url_.size());
    url += url_.substr(at, begin - at);
    if (begin == url_.size()) break;
    const std::size_t end = url_.find('}', begin);
    if (end == std::string_view::npos) {
      throw UsageError("RedirectHandler(\"" + std::string(url_) + "\"): there is a { without }");
    }
    const std::size_t index = argument_index(target, url_.substr(begin + 1, end - begin - 1), url_);
    const std::string_view raw = exchange().raw_path_argument(index);
    if (is_path(url, raw)) {
      url += raw;  // as the client wrote it: %2F is not a slash
    } else {
      url += http::percent_encode(exchange().path_arguments().values[index]);
    }
    at = end + 1;
  }
  // What an argument makes of "/{path}" must not be "//host" (an open redirect).
  if (url_.starts_with('/') && !url_.starts_with("//")) {
    const std::size_t rest = std::min(url.find_first_not_of('/'), url.size());
    url.erase(0, rest - 1);
  }
  const std::string_view query = request().query();
  if (!query.empty()) {
    const std::size_t fragment = std::min(url.find('#'), url.size());
    const char joint = url.find('?') < fragment ? '&' : '?';
    url.insert(fragment, joint + std::string(query));
  }
  redirect(url, false, status_);
}

}  // namespace squall::web
