// SPDX-License-Identifier: Apache-2.0
#include "web/body_intake.hpp"

#include "web/exchange.hpp"

#include <utility>

namespace squall::web {

BodyIntake::BodyIntake(Exchange& exchange, server::ResponseWriter& writer, Target target)
    : exchange_(exchange), writer_(&writer), target_(target) {
  if (target == Target::stream) stream_.emplace(static_cast<BodyStream::Upstream&>(*this));
  writer.pause_body();
}

void BodyIntake::start(bool decode, std::uint64_t max_bytes) {
  begun_ = true;
  const http::RequestHead& head = exchange_.head();
  if (decode) {
    http::DecoderLimits limits;
    limits.max_bytes = max_bytes;
    auto decoder = http::ContentDecoder::create(head, limits);
    if (!decoder) {
      fail(http::status_for(static_cast<http::DecodeError>(decoder.error().value())),
           decoder.error());
      return;
    }
    if (!decoder->is_identity()) decoder_.emplace(std::move(*decoder));
  }
  if (target_ == Target::form) {
    auto form = FormReader::create(head.field(http::FieldId::content_type), {});
    if (!form) {
      fail(status_for_form(form.error()), form.error());
      return;
    }
    form_ = std::move(*form);
    form_->set_notice([](void* self) noexcept { static_cast<BodyIntake*>(self)->form_moved(); },
                      this);
  }
  go_on();
}

void BodyIntake::received(std::string_view piece) {
  if (writer_ == nullptr) return;  // it has failed: the connection discards the rest
  if (!decoder_) {
    deliver(piece);
  } else if (held_ || undecoded_) {
    waiting_ += piece;
  } else {
    decode(piece);
  }
}

// A small piece may decode to much: it stops when the taker has enough.
void BodyIntake::decode(std::string_view in) {
  for (;;) {
    const auto step = decoder_->next(in);
    if (!step) {
      fail(http::status_for(static_cast<http::DecodeError>(step.error().value())), step.error());
      return;
    }
    in.remove_prefix(step->consumed);
    undecoded_ = !step->data.empty();
    if (!undecoded_) break;
    deliver(step->data);
    if (writer_ == nullptr) return;
    if (held_) break;
  }
  waiting_.assign(in);  // which may be its own end
}

void BodyIntake::deliver(std::string_view data) {
  switch (target_) {
    case Target::gather:
      exchange_.gather(data);
      break;
    case Target::stream:
      stream_->received(data);
      break;
    case Target::form:
      if (const auto taken = form_->feed(data); !taken) {
        fail(status_for_form(taken.error()), taken.error());
      } else if (form_->is_congested()) {
        hold();
      }
      break;
  }
}

void BodyIntake::hold() noexcept {
  held_ = true;
  if (writer_ != nullptr && !complete_) writer_->pause_body();
}

void BodyIntake::go_on() noexcept {
  if (!held_ || writer_ == nullptr) return;
  held_ = false;
  if (undecoded_) {
    decode(waiting_);
    if (held_ || writer_ == nullptr) return;
  }
  if (complete_) {
    finish();
  } else {
    writer_->resume_body();
  }
}

void BodyIntake::complete() {
  complete_ = true;
  if (!held_ && !undecoded_ && writer_ != nullptr) finish();
}

void BodyIntake::finish() {
  if (std::exchange(finished_, true)) return;
  if (decoder_) {
    if (const auto whole = decoder_->finish(); !whole) {
      fail(http::status_for(static_cast<http::DecodeError>(whole.error().value())), whole.error());
      return;
    }
  }
  if (stream_) {
    stream_->complete();
    return;
  }
  if (form_) {
    if (const auto ended = form_->end(); !ended) {
      fail(status_for_form(ended.error()), ended.error());
      return;
    }
    if (!form_->is_settled()) return;  // form_moved() will tell
  }
  tell_whole();
}

// The news of the last write to disk may still be on its way when the body ends.
void BodyIntake::tell_whole() {
  if (!std::exchange(told_, true)) exchange_.body_is_whole();
}

// A write to disk has ended.
void BodyIntake::form_moved() {
  if (writer_ == nullptr) return;
  Exchange& exchange = exchange_;
  exchange.enter();
  if (form_->error()) {
    fail(status_for_form(form_->error()), form_->error());
  } else if (finished_) {
    if (form_->is_settled()) tell_whole();
  } else if (held_ && !form_->is_congested()) {
    go_on();
  }
  exchange.leave();  // which may end this
}

// A handler that reads hears of it there; for others the exchange answers.
void BodyIntake::fail(int status, std::error_code why) {
  writer_ = nullptr;
  if (stream_) {
    stream_->fail(status, why.message());
  } else {
    exchange_.refuse_body(status, why.message());
  }
}

void BodyIntake::close() noexcept {
  writer_ = nullptr;
  if (stream_) stream_->close();
}

}  // namespace squall::web
