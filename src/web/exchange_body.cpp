// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "http/multipart.hpp"
#include "web/exchange.hpp"

#include <functional>
#include <memory>
#include <utility>

// How an exchange receives its request. Most bodies are gathered, or used where they lie; the
// others go through a BodyIntake.
namespace squall::web {
namespace {
// A form of more bytes is taken apart as it comes, and its bytes are not kept.
constexpr std::uint64_t whole_form_bytes = 256 * 1024;
}  // namespace

void Exchange::headers_received(const http::RequestHead& head,
                                const http::RequestFraming& framing) {
  head_ = &head;
  if (framing.body == http::RequestFraming::Body::none) return;
  // Who the request is for says what becomes of its body; nobody may have to wait for it.
  enter();
  try {
    receive_body(framing);
  } catch (...) {
    failed(std::current_exception());
  }
  leave();
}

bool Exchange::decodes_body() const {
  return worker_.application().settings.decompress_request && head_->has("Content-Encoding");
}

void Exchange::receive_body(const http::RequestFraming& framing) {
  if (!select_handler()) return;
  const detail::HandlerType& type = spec_->factory()->type;
  if (type.socket != nullptr) return;
  const std::size_t max_body = scope_->max_body_size;
  if (max_body != 0 && framing.content_length > max_body) {
    throw HTTPError(413, "the body is larger than the route's limit");
  }
  using Target = BodyIntake::Target;
  const bool streams = type.body != detail::BodyMode::whole;
  const bool is_long = framing.body == http::RequestFraming::Body::chunked ||
                       framing.content_length > whole_form_bytes;
  const bool is_form =
      is_long && http::is_multipart_form(head_->field(http::FieldId::content_type));
  const bool decodes = decodes_body();
  const bool whole = !streams && !is_form;
  const Duration timeout = scope_->body_timeout;
  if (!whole || max_body != 0 || timeout != Duration()) {
    body_limits_ = whole ? worker_.server().options().body : worker_.streamed_body_limits();
    if (max_body != 0) body_limits_.max_bytes = max_body;
    if (timeout != Duration()) body_limits_.timeout = timeout;
    writer_->set_body_limits(body_limits_);
  }
  if (whole && !decodes) return;
  Target target = is_form ? Target::form : Target::gather;
  if (streams) target = Target::stream;
  intake_ = std::make_unique<BodyIntake>(*this, *writer_, target);
  if (streams) {
    run();
    return;
  }
  std::uint64_t most = worker_.application().settings.max_body_size;
  if (is_form) most = body_limits_.max_bytes;
  if (max_body != 0) most = max_body;
  intake_->start(decodes, most);
}

void Exchange::data_received(std::string_view bytes) {
  if (intake_) {
    enter();
    intake_->received(bytes);
    leave();
    return;
  }
  if (!preserved_ && body_in_.empty() && body_in_place_.data() == nullptr) {
    body_in_place_ = bytes;
    return;
  }
  if (body_in_place_.data() != nullptr) {
    body_in_.assign(body_in_place_);
    body_in_place_ = {};
  }
  body_in_ += bytes;
}

void Exchange::preserve() {
  if (preserved_) return;
  preserved_ = true;
  const std::string_view before = head_->bytes();
  head_bytes_.assign(before);
  own_head_.assign(*head_);
  own_head_.rebase(head_bytes_.data());
  head_ = &own_head_;
  const auto move = [&](std::string_view& view) {
    const bool inside = std::less_equal<>()(before.data(), view.data()) &&
                        std::less_equal<>()(view.data(), before.data() + before.size());
    if (inside) view = {head_bytes_.data() + (view.data() - before.data()), view.size()};
  };
  for (std::size_t i = 0; i < match_.argument_count; ++i) {
    move(match_.arguments[i]);
    move(arguments_[i]);
  }
  if (body_in_place_.data() != nullptr) {
    body_in_.assign(body_in_place_);
    body_in_place_ = {};
  }
}

void Exchange::message_complete(http::Trailers* trailers) {
  if (trailers != nullptr) trailers_ = std::move(*trailers);
  if (!intake_) {
    body_is_whole();
    return;
  }
  enter();
  intake_->complete();
  leave();
}

void Exchange::body_is_whole() {
  enter();
  try {
    if (intake_ && intake_->form() != nullptr) {
      body_arguments_ = std::move(intake_->form()->arguments());
      files_ = std::move(intake_->form()->files());
    }
    if (!running_ && (selected_ || select_handler())) run();
  } catch (...) {
    failed(std::current_exception());
  }
  leave();
}

void Exchange::refuse_body(int status, std::string_view why) {
  enter();
  log::format(log::Level::info, "server", "{} for {} at {}: {}", status, client().ip(),
              head_->path(), why);
  send_error(status, nullptr);
  leave();
}

}  // namespace squall::web
