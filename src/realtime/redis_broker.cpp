// SPDX-License-Identifier: Apache-2.0
#include "realtime/redis_broker.hpp"

#include "base/logging.hpp"
#include "realtime/wire_publication.hpp"

#include <squall/base/error.hpp>
#include <squall/realtime/error.hpp>

#include <array>
#include <exception>
#include <optional>
#include <utility>

namespace squall::realtime {
namespace {

/// Among the words of a stream's script: two keys, then the run ID.
constexpr std::size_t run_id_word = 2;
const std::string unknown_run_id(RedisConnection::run_id_bytes, '0');

RedisSettings settings_of(const RedisBrokerOptions& options) {
  RedisSettings settings;
  settings.target = parse_redis_url(options.url);
  if (options.tls != nullptr) {
    if (options.tls->is_server()) {
      throw UsageError("a Redis broker needs a TLSContext made by TLSContext::client()");
    }
    settings.tls = *options.tls;
  } else if (settings.target.tls) {
    settings.tls = net::TLSContext::client();
  }
  settings.client_name = options.client_name;
  settings.connect_timeout = options.connect_timeout;
  settings.reply_timeout = options.reply_timeout;
  settings.ping_interval = options.ping_interval;
  settings.backoff_least = options.backoff_least;
  settings.backoff_most = options.backoff_most;
  settings.durable = options.durable;
  for (const Duration time : {options.connect_timeout, options.reply_timeout, options.queue_timeout,
                              options.ping_interval, options.meta_ttl}) {
    if (time <= Duration()) throw UsageError("the times of a Redis broker must be above zero");
  }
  return settings;
}

std::optional<Position> position_of(RedisValue epoch, RedisValue offset) {
  std::string text(epoch.text());
  text += ':';
  text += offset.text();
  return Position::parse(text);
}

const std::error_code& strange_answer() {
  static const std::error_code code = RealtimeError::refused;
  return code;
}

/// The publications of [id, [x, ends, p, envelope]]...; an entry that is not ours leaves a hole.
std::vector<PublicationRef> publications_of(std::string_view channel, RedisValue entries,
                                            const Position& top) {
  std::vector<PublicationRef> publications;
  publications.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string_view id = entries[i][0].text();
    std::string text(top.epoch());
    text += ':';
    text += id.substr(0, id.find('-'));
    const auto position = Position::parse(text);
    if (!position) continue;
    PublicationRef publication = read_wire_publication(channel, entries[i][1][3].text(), *position);
    if (publication) publications.push_back(std::move(publication));
  }
  return publications;
}

}  // namespace

RedisBroker::RedisBroker(const RedisBrokerOptions& options)
    : settings_(settings_of(options)),
      prefix_(options.prefix),
      meta_ttl_(std::to_string(options.meta_ttl.milliseconds())),
      publish_(redis_publish_source()),
      history_(redis_history_source()),
      remove_(redis_remove_source()),
      presence_(*this),
      commands_(settings_,
                {options.max_queue_calls, options.max_queue_bytes, options.queue_timeout},
                [this] {
                  std::vector<std::string> sources = presence_.sources();
                  for (const auto* script : {&publish_, &history_, &remove_}) {
                    sources.push_back(script->source());
                  }
                  return sources;
                }()),
      subscriptions_(settings_, options.queue_timeout, *this) {}

RedisBroker::~RedisBroker() { RedisBroker::stop(); }

void RedisBroker::start(BrokerListener& listener) {
  listener_ = &listener;
  thread_.start([this] {
    commands_.start([this](const std::string& run_id) { subscriptions_.check_run_id(run_id); });
    subscriptions_.start();
  });
}

void RedisBroker::stop() noexcept {
  thread_.stop([this] {
    subscriptions_.stop();
    commands_.stop();
  });
}

/// Both connections must lead to the same run of the server: one that came back alone may have
/// found another server behind the same address.
void RedisBroker::on_subscriber_open(const std::string& run_id) {
  if (commands_.is_open() && commands_.run_id() != run_id) commands_.reconnect();
}

std::string RedisBroker::key(std::string_view kind, std::string_view channel) const {
  std::string result;
  result.reserve(prefix_.size() + kind.size() + channel.size());
  result += prefix_;
  result += kind;
  result += channel;
  return result;
}

void RedisBroker::run(const RedisScript& script, std::string_view channel,
                      std::span<const std::string_view> arguments, Done done) {
  const std::string meta = key("meta:", channel);
  const std::string stream = key("stream:", channel);
  const std::string epoch = new_epoch();
  std::vector<std::string_view> words{meta, stream, unknown_run_id, epoch, meta_ttl_};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::size_t run_id_at = 0;
  std::string bytes = script.command(2, words, run_id_word, run_id_at);
  call(std::move(bytes), run_id_at, std::move(done));
}

void RedisBroker::call(std::string bytes, std::size_t run_id_at, Done done) {
  auto call = std::make_unique<RedisCall>();
  call->bytes = std::move(bytes);
  call->run_id_at = run_id_at;
  call->done = [this, then = std::move(done)](Result<RedisReply> reply) mutable {
    then(check(std::move(reply)));
  };
  if (!commands_.admit(*call)) return commands_.refuse(*call, RealtimeError::busy);
  RedisCall* const raw = call.release();
  bool is_posted = false;
  try {
    is_posted = thread_.post([this, raw] { commands_.submit(RedisCallPtr(raw)); });
  } catch (const Error&) {  // a million functions wait for the thread
    call.reset(raw);
    return commands_.refuse(*call, RealtimeError::busy);
  }
  if (!is_posted) {
    call.reset(raw);
    commands_.refuse(*call, RealtimeError::closed);
  }
}

/// On the broker's thread, or for an error of ours on any.
Result<RedisReply> RedisBroker::check(Result<RedisReply> reply) {
  if (!reply || !reply->value().is(RedisValue::Kind::error)) return reply;
  const std::string_view text = reply->value().text();
  const TimePoint now = IOLoop::current().time();
  if (complained_ == TimePoint() || now - complained_ >= Duration::from_seconds(1)) {
    complained_ = now;
    log::format(log::Level::error, "broker", "Redis at {} refused a call: {}",
                settings_.target.name(), text);
  }
  // A master that became a replica: its address may lead to the new one.
  if (text.starts_with("READONLY")) commands_.reconnect();
  return RealtimeError::refused;
}

void RedisBroker::publish(PublicationRef publication, const HistoryLimits& limits,
                          Completion<Position> done) {
  const std::string topic = key("topic:", publication->channel());
  std::string envelope;
  envelope.reserve(publication->data().size() + 32);
  if (publication->kind() != PublicationKind::message) {
    envelope = "- ";
    append_wire_publication(envelope, *publication);
    const std::array<std::string_view, 3> words{"PUBLISH", topic, envelope};
    std::string bytes;
    append_redis_command(bytes, words);
    return call(std::move(bytes), 0, [then = std::move(done)](Result<RedisReply> reply) mutable {
      if (!reply) return then(reply.error());
      then(Position());
    });
  }
  append_wire_publication(envelope, *publication);
  const std::string size = std::to_string(limits.size);
  const std::string most = std::to_string(limits.bytes);
  const std::string ttl = std::to_string(limits.ttl.milliseconds());
  const std::array<std::string_view, 5> arguments{topic, size, most, ttl, envelope};
  run(publish_, publication->channel(), arguments,
      [then = std::move(done)](Result<RedisReply> reply) mutable {
        if (!reply) return then(reply.error());
        const auto position = position_of(reply->value()[0], reply->value()[1]);
        if (!position) return then(strange_answer());
        then(*position);
      });
}

void RedisBroker::read_position(std::string_view channel, Completion<Position> done) {
  history(channel, {.since = {}, .limit = 0},
          [then = std::move(done)](Result<HistoryPage> page) mutable {
            if (!page) return then(page.error());
            then(page->position);
          });
}

void RedisBroker::subscribe(std::string_view channel, Completion<Position> done) {
  // Shared by the function below and by the case that it cannot be posted.
  auto asked = std::make_shared<std::pair<std::string, Completion<Position>>>(std::string(channel),
                                                                              std::move(done));
  const bool is_posted = thread_.post([this, asked] {
    subscriptions_.subscribe(key("topic:", asked->first), [this, asked](Result<void> result) {
      if (!result) return asked->second(result.error());
      read_position(asked->first, [this, asked](Result<Position> position) {
        if (!position) subscriptions_.unsubscribe(key("topic:", asked->first));
        asked->second(std::move(position));
      });
    });
  });
  if (!is_posted) asked->second(RealtimeError::closed);
}

void RedisBroker::unsubscribe(std::string_view channel, Completion<void> done) {
  auto asked = std::make_shared<std::pair<std::string, Completion<void>>>(std::string(channel),
                                                                          std::move(done));
  const bool is_posted = thread_.post([this, asked] {
    subscriptions_.unsubscribe(key("topic:", asked->first));
    asked->second({});
  });
  if (!is_posted) asked->second(RealtimeError::closed);
}

void RedisBroker::history(std::string_view channel, const HistoryQuery& query,
                          Completion<HistoryPage> done) {
  const std::string offset = std::to_string(query.since.offset());
  const std::string count = std::to_string(query.limit);
  const std::array<std::string_view, 4> arguments{query.reverse ? "<" : ">", query.since.epoch(),
                                                  offset, count};
  run(history_, channel, arguments,
      [then = std::move(done), name = std::string(channel)](Result<RedisReply> reply) mutable {
        if (!reply) return then(reply.error());
        const auto position = position_of(reply->value()[0], reply->value()[1]);
        if (!position) return then(strange_answer());
        HistoryPage page;
        page.publications = publications_of(name, reply->value()[2], *position);
        page.position = *position;
        then(std::move(page));
      });
}

void RedisBroker::remove(std::string_view channel, Completion<void> done) {
  run(remove_, channel, {}, [then = std::move(done)](Result<RedisReply> reply) mutable {
    if (!reply) return then(reply.error());
    then({});
  });
}

void RedisBroker::on_message(std::string_view topic, std::string_view payload) {
  const std::string_view channel = topic.substr(prefix_.size() + std::string_view("topic:").size());
  const auto space = payload.find(' ');
  const std::string_view place = payload.substr(0, space);
  const auto position = place == "-" ? Position() : Position::parse(place);
  PublicationRef publication;
  if (space != std::string_view::npos && position) {
    publication = read_wire_publication(channel, payload.substr(space + 1), *position);
  }
  if (!publication) {
    log::format(log::Level::warning, "broker", "a message on the topic {} is not Squall's", topic);
    return;
  }
  listener_->on_publication(std::move(publication));
}

BrokerPtr redis_broker(const RedisBrokerOptions& options) {
  return BrokerPtr(new RedisBroker(options));
}

}  // namespace squall::realtime
