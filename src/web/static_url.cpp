// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "http/percent.hpp"
#include "web/application_impl.hpp"
#include "web/exchange.hpp"
#include "web/file_cache.hpp"

#include <squall/base/error.hpp>
#include <squall/web/request_handler.hpp>

#include <algorithm>
#include <string>

namespace squall::web {
namespace {

std::string version_of(FileCache& files, const StaticSite& site, std::string_view path) {
  // The first time the disk may be asked, for the file's name and 15 KiB at most: a page whose
  // first reader got URLs without versions would surprise more.
  const FileCache::Found found = files.find_waiting(site, path);
  if (found.status == LoadStatus::ok) return files.hash_of(site, path, *found.file);
  log::format(log::Level::error, "app", "there is no static file \"{}\" to make a URL of", path);
  return {};
}

}  // namespace

std::string make_static_url(Worker& worker, std::string_view path, bool include_version) {
  const Settings& settings = worker.application().settings;
  if (settings.static_path.empty()) {
    throw UsageError("static_url() needs Settings::static_path, the directory of the files");
  }
  while (path.starts_with('/')) path.remove_prefix(1);
  std::string url(settings.static_url_prefix);
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (at != 0) url += '/';
    url += http::percent_encode(path.substr(at, end - at));
    at = end + 1;
  }
  if (include_version) {
    const StaticSite& site = StaticSite::find(settings.static_path, settings.static_options);
    const std::string version = version_of(worker.files(), site, path);
    if (!version.empty()) url.append("?v=").append(version);
  }
  return url;
}

std::string RequestHandler::static_url(std::string_view path, const StaticURLOptions& options) {
  const std::string url = make_static_url(exchange().worker(), path, options.include_version);
  if (!options.include_host) return url;
  std::string full(request().protocol());
  return full.append("://").append(request().host()).append(url);
}

std::string Application::make_static_url(std::string_view path, bool include_version) {
  const IOLoop* const here = &IOLoop::current();
  Worker* worker = impl_->loop == here ? impl_->main_worker.get() : nullptr;
  for (const auto& thread : impl_->threads) {
    if (thread->loop == here) worker = thread->worker;
  }
  if (worker == nullptr) {
    throw UsageError("make_static_url() is called on a loop of the application, after listen()");
  }
  return web::make_static_url(*worker, path, include_version);
}

}  // namespace squall::web
