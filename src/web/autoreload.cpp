// SPDX-License-Identifier: Apache-2.0
#include "web/autoreload.hpp"

#include "base/logging.hpp"
#include "net/inheritance.hpp"

#include <algorithm>
#include <utility>

namespace squall::web {

std::unique_ptr<Autoreload> Autoreload::start(Application& application, IOLoop& loop) {
  net::RunLink link = net::RunLink::connect();
  net::RunLink::Message first;
  if (!link || !link.send("pages") || link.receive(first) != net::RunLink::Outcome::message) {
    return nullptr;
  }
  link.stop_waiting();
  std::unique_ptr<Autoreload> made(new Autoreload(application, loop, std::move(link)));
  made->take(first.text);
  return made;
}

Autoreload::Autoreload(Application& application, IOLoop& loop, net::RunLink link)
    : application_(application), loop_(loop), link_(std::move(link)) {
  loop_.add_handler(
      link_.fd(), [this](int, unsigned) { read(); }, IOLoop::readable);
}

Autoreload::~Autoreload() {
  if (link_) loop_.remove_handler(link_.fd());
}

// "generation", a line break, and what the build says when it fails.
void Autoreload::take(std::string_view text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  PageState state;
  state.generation = text.substr(0, end);
  if (end < text.size()) state.error = text.substr(end + 1);
  pages_.set_state(std::move(state));
}

void Autoreload::read() {
  net::RunLink::Message message;
  for (;;) {
    switch (link_.receive(message)) {
      case net::RunLink::Outcome::message:
        take(message.text);
        break;
      case net::RunLink::Outcome::nothing:
        return;
      case net::RunLink::Outcome::over:
        loop_.remove_handler(link_.fd());
        link_ = {};
        log::write(log::Level::warning, "server", "squall run is gone");
        application_.shutdown();
        return;
    }
  }
}

void Autoreload::add_socket(int fd, std::string_view name, bool tls) noexcept {
  link_.send((tls ? "serve tls " : "serve plain ") + std::string(name), fd);
}

void Autoreload::serves() noexcept {
  if (!net::has_predecessor()) net::tell_predecessor();
  link_.send("ready");
}

}  // namespace squall::web
