// SPDX-License-Identifier: Apache-2.0
#include "loop/epoll_engine.hpp"

#include "base/logging.hpp"
#include "loop/forks.hpp"
#include "loop/loop_core.hpp"
#include "loop/output_sender.hpp"

#include <cerrno>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace squall::loop {
namespace {

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

std::uint32_t events_of(const Watch& watch) noexcept {
  return ((watch.interest & Watch::readable) != 0 ? EPOLLIN | EPOLLRDHUP : 0U) |
         ((watch.interest & Watch::writable) != 0 ? EPOLLOUT : 0U);
}

unsigned readiness_of(std::uint32_t events) noexcept {
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  return (broken || (events & (EPOLLIN | EPOLLRDHUP)) != 0 ? Watch::readable : 0U) |
         (broken || (events & EPOLLOUT) != 0 ? Watch::writable : 0U);
}

}  // namespace

EpollEngine::EpollEngine(LoopCore& core)
    : core_(core),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!epoll_ || !wake_) throw std::system_error(last_error(), "cannot make an event loop");
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;  // edge-triggered: its counter need never be read
  event.data.ptr = nullptr;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    throw std::system_error(last_error(), "cannot watch the loop's own wake-ups");
  }
}

EpollEngine::~EpollEngine() = default;

std::error_code EpollEngine::add(Pollable& pollable, std::uint32_t events) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollable;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pollable.fd, &event) != 0) return last_error();
  return {};
}

// Events of this wait() may still name it; whoever owns it may free it at once.
void EpollEngine::forget(Pollable& pollable) noexcept {
  for (int i = 0; i < reported_; ++i) {
    if (events_[i].data.ptr == &pollable) events_[i].events = 0;
  }
}

std::error_code EpollEngine::attach(Stream& stream) noexcept {
  stream.interest_ = stream.receiving_ ? EPOLLIN | EPOLLRDHUP : 0U;
  return add(stream, stream.interest_);
}

void EpollEngine::set_interest(Stream& stream, std::uint32_t events) noexcept {
  if (stream.interest_ == events) return;
  stream.interest_ = events;
  epoll_event event{};
  event.events = events;
  event.data.ptr = static_cast<Pollable*>(&stream);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, stream.fd, &event);
}

void EpollEngine::update_receiving(Stream& stream) noexcept {
  const std::uint32_t leaving = stream.eof_ || stream.peer_left_told_ ? 0U : EPOLLRDHUP;
  const std::uint32_t reading = stream.receiving_ ? EPOLLIN | EPOLLRDHUP : leaving;
  set_interest(stream, reading | (stream.blocked_ ? EPOLLOUT : 0U));
}

void EpollEngine::detach(Stream& stream) noexcept {
  if (forks_expected.load(std::memory_order_relaxed)) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, stream.fd, nullptr);
  }
  ::close(stream.fd);  // also leaves the epoll set, unless a child has a copy; see forks.hpp
  stream.fd = -1;
  stream.output_.clear(core_.blocks());
  core_.release(stream);
}

void EpollEngine::send(Stream& stream) noexcept {
  if (stream.blocked_) return;
  std::error_code error;
  switch (send_output(stream, error)) {
    case SendOutcome::all_sent:
      if (stream.interest_ & EPOLLOUT) update_receiving(stream);
      stream.flushed();
      break;
    case SendOutcome::share_used:
      stream.schedule_flush();
      break;
    case SendOutcome::blocked:
      stream.blocked();
      update_receiving(stream);
      break;
    case SendOutcome::reading:
      break;
    case SendOutcome::broken:
      stream.broke(error);
      break;
  }
}

void EpollEngine::receive(Stream& stream) {
  const std::span<char> buffer = core_.receive_buffer();
  ssize_t got;
  do {
    got = stream.is_socket_ ? ::recv(stream.fd, buffer.data(), buffer.size(), 0)
                            : ::read(stream.fd, buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    stream.received(buffer.first(static_cast<std::size_t>(got)));
  } else if (got == 0) {
    stream.received_eof();
  } else if (errno != EAGAIN) {
    stream.broke(last_error());
  }
}

// Both sides have ended in order while nothing is received: there may be input left in the kernel.
// The kernel tells that again and again unless only changes are asked for.
void EpollEngine::hung_up(Stream& stream) noexcept {
  if (!stream.eof_) stream.peer_left();
  if (stream.state_ == Stream::State::closed) return;
  set_interest(stream, EPOLLET | (stream.blocked_ ? EPOLLOUT : 0U));
}

void EpollEngine::dispatch(Stream& stream, std::uint32_t events) {
  using State = Stream::State;
  if (stream.state_ == State::closed) return;
  // A pipe whose writer is gone hangs up, and a read tells that as its end.
  const std::uint32_t ready_to_read = EPOLLIN | EPOLLRDHUP | (stream.is_socket_ ? 0U : EPOLLHUP);
  if ((events & ready_to_read) != 0 && stream.receiving_) {
    receive(stream);
    if (stream.state_ == State::closed) return;
  } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    int error = 0;
    socklen_t size = sizeof error;
    if (stream.is_socket_) ::getsockopt(stream.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0 && (events & EPOLLERR) == 0) {
      hung_up(stream);
      return;
    }
    if (error == 0) error = stream.is_socket_ ? ECONNRESET : EPIPE;
    stream.broke({error, std::generic_category()});
    return;
  } else if ((events & EPOLLRDHUP) != 0) {
    stream.peer_left();
    if (stream.state_ == State::closed) return;
  }
  if ((events & EPOLLOUT) != 0 && stream.blocked_) {
    stream.unblocked();
    send(stream);
  }
}

// An exception here is a fault of the library or a lack of memory; it ends the connection, not the
// process.
void EpollEngine::dispatch_guarded(Stream& stream, std::uint32_t events) noexcept {
  try {
    dispatch(stream, events);
  } catch (const std::exception& error) {
    log::format(log::Level::error, "loop", "a connection is dropped: {}", error.what());
    stream.broke(std::make_error_code(std::errc::io_error));
  }
}

std::error_code EpollEngine::start_accepting(Acceptor& acceptor) noexcept {
  return add(acceptor, EPOLLIN);
}

void EpollEngine::stop_accepting(Acceptor& acceptor) noexcept {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, acceptor.fd, nullptr);
  forget(acceptor);
}

std::error_code EpollEngine::start_watching(Watch& watch) noexcept {
  return add(watch, events_of(watch));
}

void EpollEngine::update_watching(Watch& watch) noexcept {
  epoll_event event{};
  event.events = events_of(watch);
  event.data.ptr = static_cast<Pollable*>(&watch);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, watch.fd, &event);
}

void EpollEngine::stop_watching(Watch& watch) noexcept {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watch.fd, nullptr);
  forget(watch);
}

void EpollEngine::accept(Acceptor& acceptor) {
  if (const std::error_code error = acceptor.accept_waiting()) {
    stop_accepting(acceptor);
    acceptor.on_accept_failed(error);
  }
}

bool EpollEngine::wait(int timeout_ms, void (*woke)(void*), void* context) noexcept {
  const int count = ::epoll_wait(epoll_.get(), events_, event_count, timeout_ms);
  woke(context);
  if (count <= 0) return false;
  reported_ = count;
  for (int i = 0; i < count; ++i) {
    const epoll_event event = events_[i];
    if (event.events == 0 || event.data.ptr == nullptr) continue;
    auto* const pollable = static_cast<Pollable*>(event.data.ptr);
    switch (pollable->kind) {
      case Pollable::Kind::stream:
        dispatch_guarded(static_cast<Stream&>(*pollable), event.events);
        break;
      case Pollable::Kind::acceptor:
        accept(static_cast<Acceptor&>(*pollable));
        break;
      case Pollable::Kind::watch:
        static_cast<Watch&>(*pollable).on_ready(readiness_of(event.events));
        break;
    }
  }
  reported_ = 0;
  return true;
}

void EpollEngine::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

}  // namespace squall::loop
