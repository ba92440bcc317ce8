// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_server.hpp"
#include "web/background_tasks.hpp"
#include "web/application_impl.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

class EventStream;
class Exchange;
class FileCache;
class WebSocketSession;

/// An application on one loop: its server, and the exchanges and sessions that are under way there.
class Worker final : private server::ServerDelegate {
 public:
  Worker(Application::Impl& application, loop::LoopCore& core);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  /// Breaks all connections and ends the handlers that still run.
  ~Worker();

  [[nodiscard]] Application::Impl& application() noexcept { return application_; }
  [[nodiscard]] loop::LoopCore& core() noexcept { return core_; }
  [[nodiscard]] server::HTTPServer& server() noexcept { return server_; }
  /// The worker whose server this is.
  [[nodiscard]] static Worker& of(const server::HTTPServer& server) noexcept {
    return static_cast<Worker&>(server.delegate());
  }

  /// Of a body that its handler takes in pieces, unless it says otherwise.
  [[nodiscard]] const server::BodyLimits& streamed_body_limits() const noexcept {
    return streamed_body_limits_;
  }
  [[nodiscard]] BackgroundTasks& background() noexcept { return background_; }
  /// The static files that are open on this loop.
  [[nodiscard]] FileCache& files();

  // For exchanges and sessions.
  void recycle(Exchange& exchange) noexcept;
  void add(WebSocketSession& session) noexcept;
  void remove(WebSocketSession& session) noexcept;
  void add(EventStream& stream) noexcept;
  void remove(EventStream& stream) noexcept;

 private:
  server::MessageDelegate& start_request(server::ResponseWriter& writer) override;

  static constexpr std::size_t spare_exchanges = 64;

  Application::Impl& application_;
  loop::LoopCore& core_;
  server::BodyLimits streamed_body_limits_;
  std::shared_ptr<FileCache> files_;
  Exchange* active_ = nullptr;
  std::vector<Exchange*> spare_;
  WebSocketSession* sessions_ = nullptr;
  EventStream* streams_ = nullptr;
  BackgroundTasks background_;
  server::HTTPServer server_;
};

/// The URL of a file below Settings::static_path, with `?v=` and its version when that is known.
std::string make_static_url(Worker& worker, std::string_view path, bool include_version);

}  // namespace squall::web
