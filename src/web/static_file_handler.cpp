// SPDX-License-Identifier: Apache-2.0
#include "web/choose_sibling.hpp"
#include "web/exchange.hpp"
#include "web/file_cache.hpp"

#include <squall/web/static_file_handler.hpp>

#include <algorithm>
#include <string>
#include <system_error>

namespace squall::web {
namespace {

constexpr std::string_view versioned_cache_control = "public, max-age=31536000, immutable";

/// A slash or a backslash in disguise: another program between here and the file may see through.
bool has_escaped_slash(std::string_view raw) noexcept {
  for (std::size_t at = raw.find('%'); at != std::string_view::npos; at = raw.find('%', at + 1)) {
    const std::string_view escape = raw.substr(at, 3);
    if (escape == "%2f" || escape == "%2F" || escape == "%5c" || escape == "%5C") return true;
  }
  return false;
}

/// Whether a decoded path may name a file at all.
bool is_servable(std::string_view path, bool dot_files) noexcept {
  if (path.find('\0') != std::string_view::npos || path.find('\\') != std::string_view::npos) {
    return false;
  }
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    if (segment == "." || segment == "..") return false;
    const bool known = at == 0 && segment == ".well-known";  // RFC 8615
    if (!dot_files && !known && segment.starts_with('.')) return false;
    at = end + 1;
  }
  return true;
}

[[noreturn]] void refuse(LoadStatus status, int error) {
  const auto why = [error] {
    return "cannot open a file: " + std::error_code(error, std::generic_category()).message();
  };
  switch (status) {
    case LoadStatus::denied:
      throw HTTPError(403);
    case LoadStatus::exhausted:
      throw HTTPError(503, why());
    case LoadStatus::failed:
      throw HTTPError(500, why());
    default:
      throw HTTPError(404);
  }
}

}  // namespace

StaticFileHandler::StaticFileHandler(std::string_view root, std::string_view default_filename)
    : StaticFileHandler(root, StaticFileOptions{.default_filename = default_filename}) {}

StaticFileHandler::StaticFileHandler(std::string_view root, const StaticFileOptions& options)
    : site_(StaticSite::find(root, options)) {}

void StaticFileHandler::set_extra_headers(std::string_view) {}
int StaticFileHandler::get_cache_time(std::string_view, std::int64_t, std::string_view) {
  return 0;
}
std::string StaticFileHandler::get_content_type(std::string_view) { return {}; }

void StaticFileHandler::get(std::string_view path) {
  set_compression(false);  // what is worth it has siblings that are coded already
  while (path.starts_with('/')) path.remove_prefix(1);
  if (!is_servable(path, site_.options.dot_files) || has_escaped_slash(request().path())) {
    throw HTTPError(404);
  }
  std::string index;
  if (path.empty() || path.ends_with('/')) {
    if (site_.default_filename.empty()) throw HTTPError(404);
    index.append(path).append(site_.default_filename);
    path = index;
  }
  const FileCache::Found found = exchange().worker().files().find(site_, path);
  if (found.status == LoadStatus::would_wait) {
    exchange().answer_later(get_later(std::string(path)));
    return;
  }
  answer(static_cast<int>(found.status), found.error, found.file, path);
}

Task<> StaticFileHandler::get_later(std::string path) {
  Task<FileCache::Found> loading = exchange().worker().files().load(site_, path);
  const FileCache::Found found = co_await loading;
  answer(static_cast<int>(found.status), found.error, found.file, path);
}

void StaticFileHandler::answer(int status, int error, CachedFile* file, std::string_view path) {
  const auto outcome = static_cast<LoadStatus>(status);
  if (outcome == LoadStatus::ok) {
    serve(*file, path);
  } else if (outcome == LoadStatus::directory && !site_.default_filename.empty() &&
             !request().path().ends_with('/')) {
    redirect_to_slash();
  } else {
    refuse(outcome, error);
  }
}

// So that the page's relative links resolve; "//host" would lead elsewhere.
void StaticFileHandler::redirect_to_slash() {
  std::string target(request().path());
  target.erase(0, target.find_first_not_of('/') - 1);
  target += '/';
  if (!request().query().empty()) target.append(1, '?').append(request().query());
  redirect(target, true);
}

void StaticFileHandler::serve(CachedFile& file, std::string_view path) {
  Exchange& out = exchange();
  const std::size_t variant = file.available == 1 ? 0 : choose_sibling(out.head(), file.available);
  // Kept: the hooks may ask for other files, and this one be forgotten.
  const std::shared_ptr<const FileVersion> version = file.versions[variant];
  out.set_header("Content-Type", file.content_type);
  out.set_header("Etag", version->etag);
  out.set_header("Last-Modified", version->last_modified);
  out.set_header("Accept-Ranges", "bytes");
  out.set_header("X-Content-Type-Options", "nosniff");
  if (file.available != 1) out.add_header("Vary", "Accept-Encoding");
  // RFC 9110 §14: a range is one of the representation that is selected, here with its coding.
  if (variant != 0) {
    out.set_header("Content-Encoding", http::to_string(variants[variant].coding));
  }
  set_cache_control(file, path);
  if (const std::string type = get_content_type(path); !type.empty()) {
    out.set_header("Content-Type", type);
  }
  set_extra_headers(path);
  if (version->is_small) {
    out.body_out().assign(version->bytes);
    out.finish();
  } else {
    out.finish_with_file(version->file, version->stamp.size);
  }
}

void StaticFileHandler::set_cache_control(CachedFile& file, std::string_view path) {
  Exchange& out = exchange();
  if (!out.head().query().empty()) {
    const std::string asked = get_query_argument("v", "");
    if (!asked.empty() && out.worker().files().hash_of(site_, path, file) == asked) {
      out.set_header("Cache-Control", versioned_cache_control);
      return;
    }
  }
  const int seconds = get_cache_time(path, file.versions[0]->modified(), file.content_type);
  if (seconds == 0) out.set_header("Cache-Control", "no-cache");
  if (seconds > 0) {
    out.set_header("Cache-Control", "public, max-age=" + std::to_string(seconds));
  }
}

}  // namespace squall::web
