// SPDX-License-Identifier: Apache-2.0
#include "net/stream_core.hpp"

#include <squall/net/stream.hpp>
#include <squall/net/tls.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace squall::net {
namespace {

Stream adopt(int descriptor, detail::StreamCore::Kind kind) {
  UniqueFd fd(descriptor);
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) < 0 ||
      ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot make a stream of a descriptor");
  }
  return detail::make_stream(loop::LoopCore::current(), std::move(fd), kind);
}

SocketAddress address_of(int fd, int (*ask)(int, sockaddr*, socklen_t*)) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (fd < 0 || ask(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return SocketAddress::from_native(&address, size);
}

}  // namespace

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    if (core_ != nullptr) core_->abandon();
    core_ = std::exchange(other.core_, nullptr);
  }
  return *this;
}

Stream::~Stream() {
  if (core_ != nullptr) core_->abandon();
}

Stream Stream::adopt_socket(int fd) { return adopt(fd, detail::StreamCore::Kind::socket); }

Stream Stream::adopt_pipe(int fd) { return adopt(fd, detail::StreamCore::Kind::pipe); }

detail::WriteAwaiter Stream::write(std::string_view bytes) {
  if (core_ == nullptr) return {nullptr, 0, StreamError::closed};
  const std::error_code refusal = core_->refusal();
  if (!refusal) {
    core_->stream()->write(bytes);
    core_->wrote();
  }
  return {core_, core_->write_limit(), refusal};
}

detail::WriteAwaiter Stream::write_owned(std::string bytes) {
  if (core_ == nullptr) return {nullptr, 0, StreamError::closed};
  const std::error_code refusal = core_->refusal();
  if (!refusal) {
    core_->stream()->write_owned(std::move(bytes));
    core_->wrote();
  }
  return {core_, core_->write_limit(), refusal};
}

detail::WriteAwaiter Stream::flush() noexcept {
  if (core_ == nullptr) return {nullptr, 0, StreamError::closed};
  return {core_, 0, core_->closed_error()};
}

detail::HandshakeAwaiter Stream::start_tls(const TLSContext& context,
                                           const StartTLSOptions& options) {
  if (core_ != nullptr) core_->start_tls(context, options);
  return detail::HandshakeAwaiter(core_);
}

bool Stream::is_tls() const noexcept { return core_ != nullptr && core_->tls() != nullptr; }

TLSInfo Stream::tls_info() const { return is_tls() ? core_->tls()->info() : TLSInfo(); }

void Stream::shutdown_write() {
  if (core_ != nullptr) core_->shutdown_write();
}

void Stream::close() noexcept {
  if (core_ != nullptr) core_->close(StreamError::closed);
}

void Stream::abort() noexcept {
  if (core_ != nullptr) core_->abort();
}

bool Stream::is_open() const noexcept { return core_ != nullptr && core_->is_open(); }

std::error_code Stream::close_reason() const noexcept {
  return core_ != nullptr ? core_->reason() : std::error_code();
}

void Stream::set_close_callback(MoveOnlyFunction<void(std::error_code)> callback) {
  if (core_ != nullptr) core_->set_close_callback(std::move(callback));
}

void Stream::set_read_timeout(Duration timeout) noexcept {
  if (core_ != nullptr) core_->set_read_timeout(timeout);
}

void Stream::set_write_timeout(Duration timeout) noexcept {
  if (!is_open()) return;
  const bool none = timeout <= Duration();
  core_->stream()->set_write_timeout(none ? Duration::from_milliseconds(0xffff'ffff) : timeout);
}

void Stream::set_idle_timeout(Duration timeout) noexcept {
  if (core_ != nullptr) core_->set_idle_timeout(timeout);
}

void Stream::set_write_limit(std::size_t bytes) noexcept {
  if (core_ != nullptr) core_->set_write_limit(bytes);
}

void Stream::set_read_ahead(std::size_t bytes) noexcept {
  if (core_ != nullptr) core_->set_read_ahead(bytes);
}

void Stream::set_nodelay(bool on) noexcept {
  const int value = on ? 1 : 0;
  if (is_open()) {
    ::setsockopt(native_handle(), IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
  }
}

SocketAddress Stream::local_address() const noexcept {
  return address_of(native_handle(), &::getsockname);
}

SocketAddress Stream::peer_address() const noexcept {
  return address_of(native_handle(), &::getpeername);
}

int Stream::native_handle() const noexcept {
  return is_open() ? core_->stream()->native_handle() : -1;
}

std::size_t Stream::buffered_bytes() const noexcept {
  return core_ != nullptr ? core_->input().size() : 0;
}

std::size_t Stream::pending_bytes() const noexcept {
  return core_ != nullptr ? core_->pending_bytes() : 0;
}

}  // namespace squall::net
