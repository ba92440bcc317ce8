// SPDX-License-Identifier: Apache-2.0
#include "web/message_reader.hpp"

#include "web/websocket_session.hpp"

#include <squall/base/error.hpp>

#include <string>
#include <utility>

namespace squall::web {

using websocket::Message;
using websocket::OptionalMessage;
using What = MessageAwaiter::What;

bool MessageReader::received(bool binary, std::string_view bytes, bool last) {
  if (message_) {  // the beginning, read in pieces, of what is wanted whole
    message_->append(bytes);
    std::string all = std::move(*message_);
    message_.emplace(std::move(all), binary, last);
  } else {
    message_.emplace(std::string(bytes), binary, last);
  }
  complete_ = last || want_piece_;
  if (complete_ && waiter_ != nullptr) resume_later(*waiter_);
  return !complete_;
}

void MessageReader::close() noexcept {
  connection_ = nullptr;
  if (waiter_ != nullptr) {
    MessageAwaiter& waiter = *waiter_;
    resume_later(waiter);
    waiter.reader_ = nullptr;
  }
}

bool MessageReader::fetch(What what) {
  if (is_there()) return true;
  if (what == What::message && inside_) {
    throw UsageError("read() in the middle of a message: read_piece() up to its last piece first");
  }
  want_piece_ = what == What::piece;
  connection_->set_streaming(want_piece_);
  connection_->resume();
  return is_there();
}

void MessageReader::wait(MessageAwaiter& waiter) {
  if (waiter_ != nullptr) {
    throw UsageError("messages are read by two at once: await one read() before the next");
  }
  waiter_ = &waiter;
}

void MessageReader::forget(MessageAwaiter& waiter) noexcept {
  if (waiter_ == &waiter) waiter_ = nullptr;
}

void MessageReader::resume_later(MessageAwaiter& waiter) noexcept {
  forget(waiter);
  waiter.StopNode::unlink();
  squall::detail::Scheduler::current().make_ready(waiter.resume_);
}

OptionalMessage MessageReader::take(What what) {
  if (!message_ || !complete_) return {};
  complete_ = false;
  Message taken = *std::exchange(message_, std::nullopt);
  inside_ = what == What::piece && !taken.is_last();
  return taken;
}

MessageAwaiter::MessageAwaiter(WebSocketSession* session, What what)
    : StopNode(&on_stop), what_(what) {
  if (session == nullptr) throw UsageError("read() in open() of a WebSocketHandler, not before");
  reader_ = session->reader();
}

MessageAwaiter::~MessageAwaiter() {
  if (reader_ != nullptr) reader_->forget(*this);
}

bool MessageAwaiter::await_ready() { return reader_ == nullptr || reader_->fetch(what_); }

void MessageAwaiter::suspend(std::coroutine_handle<> waiting, squall::detail::StopState* stop) {
  resume_.coroutine = waiting;
  reader_->wait(*this);
  if (stop != nullptr) stop->listen(*this);
}

void MessageAwaiter::on_stop(StopNode& node) noexcept {
  auto& self = static_cast<MessageAwaiter&>(node);
  self.cancelled_ = true;
  self.reader_->resume_later(self);
}

OptionalMessage MessageAwaiter::await_resume() {
  if (cancelled_) throw CancelledError();
  if (reader_ == nullptr) return {};
  return reader_->take(what_);
}

}  // namespace squall::web
