// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/request_handler.hpp>

#include <string>
#include <string_view>

namespace squall::web {

/// Answers every method with an error: `{"/gone/{path...}", web::handler<web::ErrorHandler>(410)}`.
class ErrorHandler : public RequestHandler {
 public:
  /// A UsageError unless `status` is 400 to 599.
  explicit ErrorHandler(int status);

  void get() { refuse(); }
  void post() { refuse(); }
  void put() { refuse(); }
  void patch() { refuse(); }
  void delete_() { refuse(); }
  void options() { refuse(); }
  void trace() { refuse(); }

 private:
  [[noreturn]] void refuse() const;
  int status_;
};

/// Sends clients elsewhere: `{"/old/{id}", web::handler<web::RedirectHandler>("/new/{id}")}`.
///
/// In the URL, `{name}` and `{0}` stand for path arguments of the route, as they are in the path;
/// behind a question mark they are percent-encoded. The request's query is appended. 307 and 308
/// keep method and body; after 301 and 302 browsers send GET. An argument cannot lead to another
/// host, unless it stands in the place of the host. A UsageError for arguments that the route does
/// not have.
class RedirectHandler : public RequestHandler {
 public:
  /// 301, or 302 when not `permanent`.
  explicit RedirectHandler(std::string_view url, bool permanent = true);
  /// With 301, 302, 303, 307 or 308; another is a UsageError.
  RedirectHandler(std::string_view url, int status);

  void get() { send(); }
  void post() { send(); }
  void put() { send(); }
  void patch() { send(); }
  void delete_() { send(); }

 private:
  void send();
  std::string_view url_;  // the route's factory keeps it
  int status_;
};

}  // namespace squall::web
