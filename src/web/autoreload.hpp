// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/run_link.hpp"

#include <squall/http/request_head.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/web/application.hpp>
#include <squall/web/handler.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace squall::web {

struct PageEvents;

/// Where the open pages ask: their script, and the stream that tells them to reload.
inline constexpr std::string_view reload_path = "/_squall/reload";
inline constexpr std::string_view reload_script_path = "/_squall/reload.js";
/// The script that goes into pages.
extern const std::string_view reload_script;

/// What pages are to know: they reload when the generation is not the one that they came with, and
/// show the error of a build.
struct PageState {
  std::string generation;
  std::string error;
};

/// The element that loads the script, for a page of this generation.
[[nodiscard]] std::string reload_element(std::string_view generation, std::string_view nonce = {});

/// The streams of events of all pages that are open, on all loops.
class PageStreams {
 public:
  PageStreams();
  PageStreams(const PageStreams&) = delete;
  PageStreams& operator=(const PageStreams&) = delete;
  ~PageStreams();

  // From any thread of a loop.
  [[nodiscard]] PageState state() const;
  /// The open pages hear of it.
  void set_state(PageState state);

  /// For an application that is none of a program's.
  void add_routes(Application& application) const;
  /// The handler of a GET of one of the two paths; nullptr for other requests.
  [[nodiscard]] const HandlerSpec* find(const http::RequestHead& request) const noexcept;

 private:
  friend struct PageEvents;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// An application's part in `squall run --watch`: it hands its sockets over to be kept, and tells
/// open pages what it hears. On the loop that listens.
class Autoreload {
 public:
  /// nullptr when the program was not started so.
  [[nodiscard]] static std::unique_ptr<Autoreload> start(Application& application, IOLoop& loop);
  Autoreload(const Autoreload&) = delete;
  Autoreload& operator=(const Autoreload&) = delete;
  ~Autoreload();

  void add_socket(int fd, std::string_view name, bool tls) noexcept;
  /// The application serves: sockets that were kept for nobody are closed.
  void serves() noexcept;
  [[nodiscard]] const PageStreams& pages() const noexcept { return pages_; }

 private:
  Autoreload(Application& application, IOLoop& loop, net::RunLink link);
  void take(std::string_view text);
  void read();

  Application& application_;
  IOLoop& loop_;
  net::RunLink link_;
  PageStreams pages_;
};

}  // namespace squall::web
