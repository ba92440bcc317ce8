// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "web/autoreload.hpp"

#include <squall/loop/unique_fd.hpp>
#include <squall/web/application.hpp>

#include <memory>
#include <string>
#include <vector>

namespace squall::tools {

/// What a page shows in place of a program that does not run.
struct ErrorText {
  std::string heading;
  std::string text;
};

/// Answers on the program's sockets while there is no program: with 503 and what it said last.
class ErrorServer {
 public:
  ErrorServer(std::vector<UniqueFd> sockets, ErrorText error, std::string generation);
  ErrorServer(const ErrorServer&) = delete;
  ErrorServer& operator=(const ErrorServer&) = delete;

  /// Stops accepting, at once, and lets the clients go; the loop stops when they have gone.
  void shutdown() { application_.shutdown(); }

 private:
  web::PageStreams pages_;
  web::Application application_;
};

}  // namespace squall::tools
