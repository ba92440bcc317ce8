// SPDX-License-Identifier: Apache-2.0
#include "web/hub_client.hpp"

#include "base/logging.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <random>

// The protocol of docs/realtime_web.md.
namespace squall::web {

using realtime::Action;
using realtime::AfterLoss;
using realtime::Delivery;
using realtime::Loss;
using realtime::Position;
using realtime::PublicationRef;
using realtime::Subscribed;

namespace {

std::string random_name() {
  static constexpr char digits[] = "0123456789abcdef";
  thread_local std::random_device source;
  std::string name;
  for (int i = 0; i < 4; ++i) {
    std::uint32_t bits = source();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4) name += digits[bits & 15];
  }
  return name;
}

// "" when there is no such text.
std::string_view text_of(const json::object& command, std::string_view name) noexcept {
  const json::value* const found = command.if_contains({name.data(), name.size()});
  const json::string* const text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view();
}

void append_position(std::string& out, const Position& position) {
  out += "\"position\":\"";
  out += position.to_string();
  out += '"';
}

}  // namespace

HubClient::HubClient(HubSocketHandler& socket, realtime::Hub& hub, const HubSocketOptions& options)
    : socket_(socket),
      hub_(hub),
      options_(options),
      client_(random_name()),
      tasks_(limits::hub_client_calls),
      tokens_(options.command_burst) {}

void HubClient::hello(std::string user, std::string info, Duration reconnect_spread) {
  user_ = std::move(user);
  info_ = std::move(info);
  send("{\"push\":\"hello\",\"client\":\"" + client_ +
       "\",\"reconnect_within\":" + std::to_string(reconnect_spread.milliseconds()) +
       ",\"max_message_bytes\":" + std::to_string(options_.max_message_bytes) + "}");
}

SendResult HubClient::send(std::string_view text) { return socket_.write_message(text); }

void HubClient::succeed(const Id& id, std::string_view fields) {
  std::string text = "{\"id\":";
  text.append(id).append(",\"ok\":{").append(fields).append("}}");
  send(text);
}

void HubClient::fail(const Id& id, std::string_view code, std::string_view message) {
  std::string text = "{\"id\":" + id + ",\"error\":{\"code\":\"";
  text.append(code).append("\",\"message\":");
  append_json_string(text, message);
  text += "}}";
  send(text);
}

void HubClient::fail(const Id& id, std::error_code error) {
  fail(id, error_word(error), error.message());
}

// A bucket that is filled at the rate of commands_a_second.
bool HubClient::may_go_on(TimePoint now) noexcept {
  if (refilled_ != TimePoint()) {
    tokens_ += (now - refilled_).seconds() * options_.commands_a_second;
    tokens_ = std::min(tokens_, static_cast<double>(options_.command_burst));
  }
  refilled_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

void HubClient::take(std::string_view message, TimePoint now) {
  if (message.size() > options_.max_message_bytes) {
    socket_.close(1009, "a command is too long");
    return;
  }
  json::error_code error;
  const json::value parsed = json::parse(json::string_view(message.data(), message.size()), error);
  const json::object* const command = error ? nullptr : parsed.if_object();
  if (command == nullptr) {
    fail("null", "bad_request", "a command is a JSON object");
    return;
  }
  Id id = "null";
  if (const json::value* const given = command->if_contains("id")) {
    if (given->is_int64() || given->is_uint64() ||
        (given->is_string() && given->get_string().size() <= 64)) {
      id = json::serialize(*given);
    } else {
      fail(id, "bad_request", "an id is an integer, or text of at most 64 bytes");
      return;
    }
  }
  if (!may_go_on(now)) {
    fail(id, "too_many_commands", "wait before the next command");
    return;
  }
  run(*command, id);
}

void HubClient::run(const json::object& command, const Id& id) {
  const std::string_view name = text_of(command, "command");
  if (name == "ping") {
    succeed(id);
    return;
  }
  const std::string_view channel = text_of(command, "channel");
  if (name != "subscribe" && name != "unsubscribe" && name != "publish" && name != "history" &&
      name != "presence") {
    fail(id, "unknown_command",
         "a command is subscribe, unsubscribe, publish, history, presence or ping");
  } else if (channel.empty()) {
    fail(id, "bad_request", "the command names no channel");
  } else if (name == "subscribe") {
    subscribe(command, id, channel);
  } else if (name == "unsubscribe") {
    unsubscribe(id, channel);
  } else if (name == "publish") {
    publish(command, id, channel);
  } else if (name == "history") {
    history(command, id, channel);
  } else {
    presence(id, channel);
  }
}

void HubClient::subscribe(const json::object& command, const Id& id, std::string_view channel) {
  const std::string_view since = text_of(command, "since");
  const bool known = std::any_of(pending_.begin(), pending_.end(),
                                 [channel](const Pending& one) { return one.channel == channel; });
  if (known) {  // the hub would tell on_refused(), which could not tell the two apart
    fail(id, make_error_code(realtime::RealtimeError::already_subscribed));
    return;
  }
  realtime::SubscribeOptions options;
  if (!since.empty()) {
    // A position that is none of ours recovers nothing, and the answer says so.
    options.since = Position::parse(since).value_or(Position());
  }
  const json::value* const recover = command.if_contains("recover");
  options.recover = recover != nullptr && recover->is_bool() && recover->get_bool();
  options.client = client_;
  options.user = user_;
  options.info = info_;
  pending_.push_back({std::string(channel), id});
  hub_.subscribe(*this, channel, options);
}

HubClient::Id HubClient::take_pending(std::string_view channel) {
  const auto found = std::find_if(pending_.begin(), pending_.end(),
                                  [channel](const Pending& one) { return one.channel == channel; });
  if (found == pending_.end()) return {};
  Id id = std::move(found->id);
  pending_.erase(found);
  return id;
}

void HubClient::on_subscribed(std::string_view channel, const Subscribed& answer) {
  const Id id = take_pending(channel);
  if (id.empty()) return;
  std::string fields = "\"channel\":";
  append_json_string(fields, channel);
  fields += ',';
  append_position(fields, answer.position);
  fields += answer.recovered ? ",\"recovered\":true" : ",\"recovered\":false";
  fields.append(",\"missed\":").append(std::to_string(answer.missed));
  succeed(id, fields);
}

void HubClient::on_refused(std::string_view channel, std::error_code error) {
  const Id id = take_pending(channel);
  if (!id.empty()) fail(id, error);
}

Delivery HubClient::on_publication(const PublicationRef& publication, SlowConsumer policy) {
  if (policy != policy_) {
    policy_ = policy;
    socket_.set_slow_consumer(policy);
  }
  return delivery_of(socket_.write_message(push_message(*publication), publication->key()));
}

void HubClient::on_presence(const PublicationRef& publication) {
  socket_.write_message(push_message(*publication));
}

AfterLoss HubClient::on_lost(std::string_view channel, const Loss& loss) {
  std::string text =
      loss.ended ? "{\"push\":\"unsubscribed\",\"channel\":" : "{\"push\":\"lost\",\"channel\":";
  append_json_string(text, channel);
  if (!loss.ended) {
    text += ',';
    append_position(text, loss.position);
  }
  text.append(",\"reason\":\"").append(loss_word(loss.reason)).append("\"}");
  send(text);
  return AfterLoss::stay;
}

void HubClient::unsubscribe(const Id& id, std::string_view channel) {
  if (!hub_.unsubscribe(*this, channel)) {
    fail(id, "not_subscribed", "there is no subscription to this channel");
    return;
  }
  const Id waiting = take_pending(channel);
  if (!waiting.empty()) fail(waiting, "unsubscribed", "taken back before it was answered");
  succeed(id);
}

bool HubClient::may(bool offered, Action action, const Id& id, std::string_view channel) {
  if (!offered) {
    fail(id, make_error_code(realtime::RealtimeError::not_supported));
    return false;
  }
  if (hub_.allows({.action = action,
                   .channel = channel,
                   .client = client_,
                   .user = user_,
                   .subscriber = this})) {
    return true;
  }
  fail(id, make_error_code(realtime::RealtimeError::forbidden));
  return false;
}

bool HubClient::has_room(const Id& id) {
  if (tasks_.size() < limits::hub_client_calls) return true;
  fail(id, make_error_code(realtime::RealtimeError::busy));
  return false;
}

void HubClient::start(const Id& id, Task<> work) {
  tasks_.spawn(answer(this, id, std::move(work)));
}

// Nothing but a stop may come out of it: the group would stop the others.
Task<> HubClient::answer(HubClient* self, Id id, Task<> work) {
  std::error_code error;
  bool failed = false;
  try {
    co_await work;
  } catch (const realtime::HubError& failure) {
    error = failure.code();
  } catch (const CancelledError&) {
    throw;
  } catch (const std::exception& failure) {
    log::format(log::Level::error, "app", "a command of a client threw: {}", failure.what());
    failed = true;
  }
  if (error) self->fail(id, error);
  if (failed) self->fail(id, "internal", "the server could not do it");
}

void HubClient::publish(const json::object& command, const Id& id, std::string_view channel) {
  const json::value* const data = command.if_contains("data");
  if (data == nullptr) {
    fail(id, "bad_request", "publish needs data: text, or any JSON");
    return;
  }
  if (!may(options_.publish, Action::publish, id, channel) || !has_room(id)) return;
  std::string text = data->is_string() ? std::string(text_of(command, "data"))
                                       : std::string(json::serialize(*data));
  start(id, run_publish(this, id, std::string(channel), std::move(text),
                        std::string(text_of(command, "key"))));
}

Task<> HubClient::run_publish(HubClient* self, Id id, std::string channel, std::string data,
                              std::string key) {
  realtime::PublishOptions options;
  options.key = key;
  const realtime::PublishResult result = co_await self->hub_.publish(channel, data, options);
  std::string fields;
  append_position(fields, result.position);
  self->succeed(id, fields);
}

void HubClient::history(const json::object& command, const Id& id, std::string_view channel) {
  if (!may(options_.history, Action::history, id, channel) || !has_room(id)) return;
  realtime::HistoryQuery query;
  const std::string_view since = text_of(command, "since");
  const std::optional<Position> position = Position::parse(since);
  if (!since.empty() && !position) {
    fail(id, "bad_request", "since is no position");
    return;
  }
  if (position) query.since = *position;
  if (const json::value* const limit = command.if_contains("limit")) {
    json::error_code error;
    const auto wanted = limit->to_number<std::size_t>(error);
    if (error) {
      fail(id, "bad_request", "limit is a number");
      return;
    }
    query.limit = std::min(wanted, limits::recovered_publications);
  }
  const json::value* const reverse = command.if_contains("reverse");
  query.reverse = reverse != nullptr && reverse->is_bool() && reverse->get_bool();
  start(id, run_history(this, id, std::string(channel), query));
}

Task<> HubClient::run_history(HubClient* self, Id id, std::string channel,
                              realtime::HistoryQuery query) {
  const realtime::HistoryPage page = co_await self->hub_.history(channel, query);
  std::string fields;
  append_position(fields, page.position);
  fields += ",\"messages\":[";
  for (const PublicationRef& publication : page.publications) {
    if (fields.back() != '[') fields += ',';
    append_message(fields, *publication);
  }
  fields += ']';
  self->succeed(id, fields);
}

void HubClient::presence(const Id& id, std::string_view channel) {
  if (!may(options_.presence, Action::presence, id, channel) || !has_room(id)) return;
  start(id, run_presence(this, id, std::string(channel)));
}

Task<> HubClient::run_presence(HubClient* self, Id id, std::string channel) {
  const realtime::PresencePage page = co_await self->hub_.presence(channel);
  std::string fields = "\"members\":[";
  for (const realtime::Member& member : page.members) {
    if (fields.back() != '[') fields += ',';
    fields += "{\"client\":";
    append_json_string(fields, member.client);
    fields += ",\"user\":";
    append_json_string(fields, member.user);
    fields += ",\"info\":";
    append_json_string(fields, member.info);
    fields += '}';
  }
  fields += page.truncated ? "],\"truncated\":true" : "],\"truncated\":false";
  self->succeed(id, fields);
}

}  // namespace squall::web
