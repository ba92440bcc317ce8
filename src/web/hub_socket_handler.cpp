// SPDX-License-Identifier: Apache-2.0
#include "web/content_hash.hpp"
#include "web/hub_client.hpp"
#include "web/hub_script.hpp"

#include <squall/base/error.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/web/application.hpp>

#include <string>

namespace squall::web {

HubSocketHandler::HubSocketHandler(realtime::Hub& hub, const HubSocketOptions& options)
    : hub_(hub), options_(options) {
  if (options.command_burst == 0) throw UsageError("command_burst is at least one command");
}

HubSocketHandler::~HubSocketHandler() { delete client_; }

std::string HubSocketHandler::user() { return {}; }
std::string HubSocketHandler::info() { return {}; }

void HubSocketHandler::open() {
  set_max_message_size(options_.max_message_bytes);
  client_ = new HubClient(*this, hub_, options_);
  client_->hello(user(), info(), settings().reconnect_spread);
}

void HubSocketHandler::on_message(std::string_view message, bool binary) {
  if (binary) {
    close(1003, "commands are text");
    return;
  }
  client_->take(message, IOLoop::current().time());
}

// What still runs for it has nobody to answer.
void HubSocketHandler::on_close() {
  delete client_;
  client_ = nullptr;
}

void HubScriptHandler::get() {
  static const std::string etag = [] {
    ContentHash hash;
    hash.update(hub_script);
    return "\"" + hash.hex() + "\"";
  }();
  set_header("Content-Type", "text/javascript; charset=utf-8");
  set_header("Cache-Control", "no-cache");  // kept, and asked about by its Etag
  set_header("Etag", etag);
  write(hub_script);
}

}  // namespace squall::web
