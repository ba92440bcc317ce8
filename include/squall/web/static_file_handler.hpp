// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/request_handler.hpp>

#include <string>
#include <string_view>

namespace squall::web {

/// Serves files of a directory: `{"/{path...}", web::handler<web::StaticFileHandler>("public",
/// "index.html")}`.
///
/// Sends Content-Type by the name's ending, Last-Modified, and a strong ETag made of modification
/// time and size; answers 304 to If-None-Match and If-Modified-Since (RFC 9110 §13). Only regular
/// files below the directory are served: `..`, NUL and symbolic links that lead out of it are 404.
class StaticFileHandler : public RequestHandler {
 public:
  /// `default_filename` is served for a directory; "" serves none.
  explicit StaticFileHandler(std::string_view root, std::string_view default_filename = {});

  void get(std::string_view path);

 private:
  std::string root_;
  std::string default_filename_;
};

}  // namespace squall::web
