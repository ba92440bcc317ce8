// SPDX-License-Identifier: Apache-2.0
#include "net/udp_core.hpp"

#include <squall/base/error.hpp>

#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

namespace squall::net::detail {

template class Share<UDPCore>;

// Operations.

bool UDPCore::attempt(UDPWait& wait) {
  if (!descriptor_) {
    wait.error_ = std::make_error_code(std::errc::bad_file_descriptor);
    return true;
  }
  return wait.sends_ ? send(descriptor_.get(), wait) : receive(descriptor_.get(), wait);
}

bool UDPCore::send(int fd, UDPWait& wait) noexcept {
  sockaddr_storage address{};
  const std::size_t size = wait.datagram_.peer.to_native(&address, sizeof address);
  ssize_t sent;
  do {
    sent = ::sendto(fd, wait.bytes_.data(), wait.bytes_.size(), MSG_NOSIGNAL,
                    size > 0 ? reinterpret_cast<const sockaddr*>(&address) : nullptr,
                    static_cast<socklen_t>(size));
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno == EAGAIN) return false;
  wait.error_ = sent < 0 ? std::error_code(errno, std::generic_category()) : std::error_code();
  return true;
}

bool UDPCore::receive(int fd, UDPWait& wait) noexcept {
  sockaddr_storage address{};
  iovec part{wait.target_.data(), wait.target_.size()};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ssize_t got;
  do {
    got = ::recvmsg(fd, &message, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return false;
  if (got < 0) {
    wait.error_ = {errno, std::generic_category()};
    return true;
  }
  wait.datagram_.bytes = static_cast<std::size_t>(got);
  wait.datagram_.peer = SocketAddress::from_native(&address, message.msg_namelen);
  wait.datagram_.truncated = (message.msg_flags & MSG_TRUNC) != 0;
  return true;
}

void UDPCore::check_free(const UDPWait& wait) const {
  if ((wait.sends_ ? sender_ : receiver_) != nullptr) {
    throw UsageError("another coroutine waits for this UDPSocket: one receive and one send a time");
  }
}

// Waits.

void UDPCore::begin_wait(UDPWait& wait) {
  (wait.sends_ ? sender_ : receiver_) = &wait;
  set_interest(interest | (wait.sends_ ? writable : readable));
}

// The interest stays until something comes, for the next wait most likely comes first.
void UDPCore::end_wait(UDPWait& wait) noexcept {
  (wait.sends_ ? sender_ : receiver_) = nullptr;
  wait.in_slot_ = false;
  wait.StopNode::unlink();
}

void UDPCore::on_ready(unsigned events) {
  const Share self(this);
  if ((events & readable) != 0) try_again(receiver_, readable);
  if ((events & writable) != 0 && descriptor_) try_again(sender_, writable);
}

void UDPCore::try_again(UDPWait*& slot, unsigned direction) {
  if (slot == nullptr) {
    set_interest(interest & ~direction);
    return;
  }
  UDPWait& wait = *slot;
  if (!attempt(wait)) return;
  end_wait(wait);
  wait.resume_.coroutine.resume();
}

void UDPCore::set_interest(unsigned wanted) {
  if (wanted == interest) return;
  const unsigned before = std::exchange(interest, wanted);
  if (wanted == 0) {
    loop_.engine().stop_watching(*this);
  } else if (before != 0) {
    loop_.engine().update_watching(*this);
  } else if (const std::error_code error = loop_.engine().start_watching(*this)) {
    interest = 0;
    throw std::system_error(error, "cannot watch a socket");
  }
}

void UDPCore::close() noexcept {
  if (!descriptor_) return;
  set_interest(0);
  descriptor_.reset();
  for (UDPWait* const wait : {receiver_, sender_}) {
    if (wait == nullptr) continue;
    end_wait(*wait);
    wait->error_ = std::make_error_code(std::errc::bad_file_descriptor);
    loop_.make_ready(wait->resume_);
  }
}

// Awaiters.

UDPWait::UDPWait(UDPCore* core, std::span<char> target) noexcept
    : StopNode(&on_stop), core_(core), target_(target), sends_(false) {}

UDPWait::UDPWait(UDPCore* core, std::string_view bytes, const SocketAddress& to) noexcept
    : StopNode(&on_stop), core_(core), bytes_(bytes), sends_(true) {
  datagram_.peer = to;
}

UDPWait::~UDPWait() {
  if (in_slot_) core_->end_wait(*this);
}

bool UDPWait::await_ready() {
  if (core_.get() == nullptr) {
    error_ = std::make_error_code(std::errc::bad_file_descriptor);
    return true;
  }
  core_->check_free(*this);
  return core_->attempt(*this);
}

void UDPWait::suspend(std::coroutine_handle<> waiting, squall::detail::StopState* stop) {
  resume_.coroutine = waiting;
  in_slot_ = true;
  core_->begin_wait(*this);
  if (stop != nullptr) stop->listen(*this);
}

void UDPWait::on_stop(StopNode& node) noexcept {
  auto& self = static_cast<UDPWait&>(node);
  self.core_->end_wait(self);
  self.cancelled_ = true;
  self.core_->make_ready(self.resume_);
}

void UDPWait::throw_if_cancelled() {
  if (cancelled_) throw CancelledError();
}

Result<Datagram> ReceiveFromAwaiter::await_resume() {
  throw_if_cancelled();
  if (error_) return error_;
  return datagram_;
}

Result<void> SendToAwaiter::await_resume() {
  throw_if_cancelled();
  return error_;
}

}  // namespace squall::net::detail
