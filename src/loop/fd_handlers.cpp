// SPDX-License-Identifier: Apache-2.0
#include "loop/fd_handlers.hpp"

#include "base/logging.hpp"
#include "loop/loop_core.hpp"

#include <squall/base/error.hpp>
#include <squall/loop/ioloop.hpp>

#include <string>
#include <system_error>

namespace squall::loop {
namespace {

static_assert(IOLoop::readable == Watch::readable && IOLoop::writable == Watch::writable);

void check_events(unsigned events) {
  if (events == 0 || (events & ~(Watch::readable | Watch::writable)) != 0) {
    throw UsageError("a handler waits for IOLoop::readable, IOLoop::writable or both");
  }
}

}  // namespace

class FdHandlers::Entry final : public Watch {
 public:
  Entry(FdHandlers& owner, int descriptor, Handler handler, unsigned events)
      : Watch(descriptor, events), function(std::move(handler)), owner_(owner) {}

  void on_ready(unsigned events) override { owner_.run(fd, events); }

  Handler function;

 private:
  FdHandlers& owner_;
};

FdHandlers::FdHandlers(LoopCore& core) noexcept : core_(core) {}

FdHandlers::~FdHandlers() {
  for (const auto& [fd, entry] : entries_) core_.engine().stop_watching(*entry);
}

void FdHandlers::add(int fd, Handler handler, unsigned events) {
  check_events(events);
  const auto [place, added] = entries_.try_emplace(fd);
  if (!added) {
    throw UsageError("descriptor " + std::to_string(fd) +
                     " has a handler already: use update_handler(), or remove_handler() first");
  }
  place->second = std::make_unique<Entry>(*this, fd, std::move(handler), events);
  if (const auto error = core_.engine().start_watching(*place->second)) {
    entries_.erase(place);
    throw std::system_error(error, "cannot watch descriptor " + std::to_string(fd));
  }
}

void FdHandlers::update(int fd, unsigned events) {
  check_events(events);
  const auto found = entries_.find(fd);
  if (found == entries_.end()) {
    throw UsageError("descriptor " + std::to_string(fd) + " has no handler: use add_handler()");
  }
  found->second->interest = events;
  core_.engine().update_watching(*found->second);
}

void FdHandlers::remove(int fd) noexcept {
  const auto found = entries_.find(fd);
  if (found == entries_.end()) return;
  core_.engine().stop_watching(*found->second);
  entries_.erase(found);
}

void FdHandlers::run(int fd, unsigned events) noexcept {
  // It may remove or replace itself while it runs.
  Handler function = std::move(entries_.at(fd)->function);
  try {
    function(fd, events);
  } catch (const std::exception& error) {
    log::format(log::Level::error, "loop", "the handler of descriptor {} threw: {}", fd,
                error.what());
  } catch (...) {
    log::format(log::Level::error, "loop", "the handler of descriptor {} threw something unknown",
                fd);
  }
  const auto found = entries_.find(fd);
  if (found != entries_.end() && !found->second->function) {
    found->second->function = std::move(function);
  }
}

}  // namespace squall::loop
