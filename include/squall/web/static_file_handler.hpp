// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/request_handler.hpp>
#include <squall/web/static_file_options.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace squall::web {

class FileCache;
struct CachedFile;
struct StaticSite;

/// Serves files of a directory: `{"/{path...}", web::handler<web::StaticFileHandler>("public",
/// "index.html")}`.
///
/// Sends Content-Type by the name's ending, Last-Modified, and a strong ETag made of modification
/// time and size; answers conditions and ranges, several at once too (RFC 9110 §13, §14). With the
/// version of static_url() in `?v=` a file may be cached for a year, else clients ask each time
/// whether it has changed. Never blocks the loop: what is not in memory is read on the Executor.
///
/// Only regular files below the directory are served. `..`, escaped slashes, backslashes, NUL,
/// hidden files and symbolic links that lead out are 404, like what is not there.
class StaticFileHandler : public RequestHandler {
 public:
  /// `default_filename` is served for a directory; "" serves none.
  explicit StaticFileHandler(std::string_view root, std::string_view default_filename = {});
  StaticFileHandler(std::string_view root, const StaticFileOptions& options);

  void get(std::string_view path);

  // Hooks; `path` is the file's, below the directory.

  /// Adds headers, or replaces those that are set: the last word before the file is sent.
  virtual void set_extra_headers(std::string_view path);
  /// For how many seconds a URL without a valid version may be cached without asking: 0, the
  /// default, sends `Cache-Control: no-cache`, less than 0 sends none. `modified` is in seconds
  /// since 1970.
  virtual int get_cache_time(std::string_view path, std::int64_t modified,
                             std::string_view mime_type);
  /// The Content-Type in place of that by the name's ending; "" keeps it.
  virtual std::string get_content_type(std::string_view path);

 private:
  Task<> get_later(std::string path);
  void answer(int status, int error, CachedFile* file, std::string_view path);
  void serve(CachedFile& file, std::string_view path);
  void set_cache_control(CachedFile& file, std::string_view path);
  void redirect_to_slash();

  const StaticSite& site_;
};

}  // namespace squall::web
