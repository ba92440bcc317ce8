// SPDX-License-Identifier: Apache-2.0
#include "web/hub_forms.hpp"

#include "base/base64.hpp"
#include "base/utf8.hpp"

#include <squall/json.hpp>

namespace squall::web {
namespace {

using realtime::LossReason;
using realtime::Publication;
using realtime::PublicationKind;
using realtime::RealtimeError;

constexpr std::string_view message_head = R"({"push":"message",)";

bool is_text(const Publication& publication) noexcept {
  return !publication.is_binary() && is_utf8(publication.data());
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, value);
}

std::string push_text(const Publication& publication) {
  std::string text;
  text.reserve(96 + publication.channel().size() + publication.data().size() * 9 / 8);
  const bool has_position = publication.kind() == PublicationKind::message;
  text += has_position                                  ? message_head.substr(0, 17)
          : publication.kind() == PublicationKind::join ? R"({"push":"join")"
                                                        : R"({"push":"leave")";
  append_field(text, "channel", publication.channel());
  if (has_position) {
    append_field(text, "position", publication.position().to_string());
    if (is_text(publication)) {
      append_field(text, "data", publication.data());
    } else {
      append_field(text, "base64", encode_base64(publication.data()));
    }
  } else {
    append_field(text, "client", publication.client());
    append_field(text, "user", publication.user());
    append_field(text, "info", publication.data());
  }
  text += '}';
  return text;
}

struct PushForm final : realtime::EncodedForm {
  explicit PushForm(const Publication& publication) : message(push_text(publication)) {}
  SharedMessage message;
};

struct DataForm final : realtime::EncodedForm {
  explicit DataForm(const Publication& publication)
      : message(publication.data(), !is_text(publication)) {}
  SharedMessage message;
};

SharedEvent make_event(const Publication& publication, bool first) {
  std::string data;
  ServerEvent event;
  event.key = publication.key();
  const std::string id =
      first ? publication.position().to_string() : std::string(publication.channel());
  if (publication.kind() != PublicationKind::message) {
    data = push_form(publication);
    event.event = publication.kind() == PublicationKind::join ? "join" : "leave";
    event.data = data;
    return SharedEvent(event);
  }
  if (first) {
    event.id = id;
  } else {
    event.event = id;
  }
  event.data = publication.data();
  if (!is_text(publication)) {
    data = encode_base64(publication.data());
    if (first) event.event = "binary";
    event.data = data;
  }
  return SharedEvent(event);
}

struct EventForm final : realtime::EncodedForm {
  explicit EventForm(const Publication& publication) : event(make_event(publication, true)) {}
  SharedEvent event;
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  const json::string_view view(text.data(), text.size());
  out += json::serialize(view);
}

const SharedMessage& push_message(const Publication& publication) {
  const realtime::EncodedForm& form = publication.encoded(
      Publication::json_slot, [](const Publication& of, const void*) -> realtime::EncodedForm* {
        return new PushForm(of);
      });
  return static_cast<const PushForm&>(form).message;
}

std::string_view push_form(const Publication& publication) {
  return push_message(publication).data();
}

const SharedMessage& data_message(const Publication& publication) {
  const realtime::EncodedForm& form =
      publication.encoded(Publication::websocket_slot,
                          [](const Publication& of, const void*) -> realtime::EncodedForm* {
                            return new DataForm(of);
                          });
  return static_cast<const DataForm&>(form).message;
}

void append_message(std::string& out, const Publication& publication) {
  out += '{';
  out += push_form(publication).substr(message_head.size());
}

const SharedEvent& event_form(const Publication& publication) {
  const realtime::EncodedForm& form =
      publication.encoded(Publication::event_stream_slot,
                          [](const Publication& of, const void*) -> realtime::EncodedForm* {
                            return new EventForm(of);
                          });
  return static_cast<const EventForm&>(form).event;
}

SharedEvent named_event(const Publication& publication) { return make_event(publication, false); }

std::string_view error_word(std::error_code error) noexcept {
  if (error.category() != realtime::realtime_category()) return "internal";
  switch (static_cast<RealtimeError>(error.value())) {
    case RealtimeError::closed:
      return "closed";
    case RealtimeError::invalid_channel:
      return "invalid_channel";
    case RealtimeError::forbidden:
      return "forbidden";
    case RealtimeError::too_many_channels:
      return "too_many_channels";
    case RealtimeError::hub_full:
      return "hub_full";
    case RealtimeError::already_subscribed:
      return "already_subscribed";
    case RealtimeError::withdrawn:
      return "unsubscribed";
    case RealtimeError::too_large:
      return "too_large";
    case RealtimeError::busy:
      return "busy";
    case RealtimeError::broker_unavailable:
      return "unavailable";
    case RealtimeError::not_supported:
      return "not_supported";
    case RealtimeError::outcome_unknown:
      return "outcome_unknown";
    case RealtimeError::refused:
      return "refused";
  }
  return "internal";
}

int error_status(std::error_code error) noexcept {
  if (error.category() != realtime::realtime_category()) return 500;
  switch (static_cast<RealtimeError>(error.value())) {
    case RealtimeError::invalid_channel:
      return 400;
    case RealtimeError::forbidden:
      return 403;
    case RealtimeError::too_large:
      return 413;
    case RealtimeError::already_subscribed:
      return 409;
    case RealtimeError::not_supported:
      return 501;
    case RealtimeError::closed:
    case RealtimeError::withdrawn:
    case RealtimeError::too_many_channels:
    case RealtimeError::hub_full:
    case RealtimeError::busy:
    case RealtimeError::broker_unavailable:
    case RealtimeError::refused:
      return 503;
    case RealtimeError::outcome_unknown:
      return 504;
  }
  return 500;
}

std::string_view loss_word(LossReason reason) noexcept {
  switch (reason) {
    case LossReason::gap:
      return "gap";
    case LossReason::epoch:
      return "epoch";
    case LossReason::loop_blocked:
      return "blocked";
    case LossReason::broker:
      return "broker";
    case LossReason::closed:
      return "closed";
  }
  return "gap";
}

realtime::Delivery delivery_of(SendResult result) noexcept {
  switch (result) {
    case SendResult::sent:
      return realtime::Delivery::queued;
    case SendResult::displaced:
    case SendResult::conflated:
    case SendResult::dropped:
      return realtime::Delivery::dropped;
    case SendResult::closed:
    case SendResult::overflow:
      return realtime::Delivery::closed;
  }
  return realtime::Delivery::closed;
}

}  // namespace squall::web
