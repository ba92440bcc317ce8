// SPDX-License-Identifier: Apache-2.0
#include "realtime/nats_broker.hpp"

#include "base/logging.hpp"
#include "realtime/nats_names.hpp"
#include "realtime/wire_publication.hpp"

#include <squall/base/error.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/realtime/error.hpp>

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

namespace squall::realtime {
namespace {

// A call's memory beside its texts.
constexpr std::size_t call_overhead = 256;

// The first character of a payload tells what it is: a publication, behind the limits of its
// channel's history, or the wish to forget that.
constexpr char publication_mark = 'p';
constexpr std::string_view forget_mark = "f";

Duration quarter(Duration whole) noexcept {
  return Duration::from_nanoseconds(whole.nanoseconds() / 4 + 1'000'000);
}

template <class Number>
bool take_number(std::string_view& text, Number& number) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

std::string checked(std::string_view prefix) {
  check_nats_prefix(prefix);
  return std::string(prefix) + '.';
}

}  // namespace

NatsBroker::NatsBroker(const NatsBrokerOptions& options)
    : settings_(nats_settings(options)),
      prefix_(checked(options.prefix)),
      barrier_subject_(prefix_ + "sync." + new_epoch()),
      queue_timeout_(options.queue_timeout),
      linger_(options.linger),
      max_channels_(options.max_channels),
      max_history_bytes_(options.max_history_bytes),
      max_queue_calls_(options.max_queue_calls),
      max_queue_bytes_(options.max_queue_bytes),
      max_inbox_bytes_(options.max_inbox_bytes),
      backoff_(options.backoff_least, options.backoff_most) {}

NatsBroker::~NatsBroker() { NatsBroker::stop(); }

void NatsBroker::start(BrokerListener& listener) {
  listener_ = &listener;
  thread_.start([this] {
    // libnats connects by waiting; that holds up nobody but who waits for the connection anyway.
    IOLoop::current().set_blocking_threshold({});
    connect();
    tick();
  });
}

void NatsBroker::stop() noexcept {
  thread_.stop([this] { end(); });
}

void NatsBroker::end() {
  is_up_ = false;
  link_.reset();
  while (!waiting_.empty()) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    tell(waiting.done, RealtimeError::closed);
  }
  fail_barriers(RealtimeError::closed);
}

std::string NatsBroker::subject_of(std::string_view channel) const {
  return prefix_ + "channel." + nats_token(channel);
}

// --- calls ---------------------------------------------------------------------------------------

bool NatsBroker::admit(std::size_t cost) noexcept {
  if (calls_.fetch_add(1) >= max_queue_calls_) {
    calls_.fetch_sub(1);
    return false;
  }
  if (bytes_.fetch_add(cost) + cost > max_queue_bytes_) {
    release(cost);
    return false;
  }
  return true;
}

void NatsBroker::release(std::size_t cost) noexcept {
  calls_.fetch_sub(1);
  bytes_.fetch_sub(cost);
}

void NatsBroker::ask(std::size_t cost, Work work, Done done) {
  if (!admit(cost)) return tell(done, RealtimeError::busy);
  auto waiting = std::make_shared<Waiting>();
  waiting->work = std::move(work);
  waiting->done = [this, cost, then = std::move(done)](std::error_code error) mutable {
    release(cost);
    then(error);
  };
  std::error_code refused = RealtimeError::closed;
  try {
    const bool is_posted = thread_.post([this, waiting] {
      if (is_up_) return waiting->work(std::move(waiting->done));
      waiting->since = IOLoop::current().time();
      waiting_.push_back(std::move(*waiting));
    });
    if (is_posted) return;
  } catch (const Error&) {  // a million functions wait for the thread
    refused = RealtimeError::busy;
  }
  tell(waiting->done, refused);
}

void NatsBroker::publish(PublicationRef publication, const HistoryLimits& limits,
                         Completion<Position> done) {
  std::string payload;
  payload.reserve(publication->data().size() + 96);
  payload += publication_mark;
  for (const auto number :
       {static_cast<std::uint64_t>(limits.size), static_cast<std::uint64_t>(limits.bytes),
        static_cast<std::uint64_t>(limits.ttl.milliseconds())}) {
    payload += std::to_string(number);
    payload += ' ';
  }
  append_wire_publication(payload, *publication);
  const std::size_t cost = payload.size() + call_overhead;
  ask(
      cost,
      [this, subject = subject_of(publication->channel()), text = std::move(payload)](Done then) {
        send(subject, text, std::move(then));
      },
      [then = std::move(done)](std::error_code error) mutable {
        if (error) return then(error);
        then(Position());  // those who listen count for themselves
      });
}

void NatsBroker::send(const std::string& subject, std::string_view payload, Done done) {
  const natsStatus status = link_->publish(subject, payload);
  if (status == NATS_OK) return after_barrier(std::move(done));
  if (status == NATS_MAX_PAYLOAD) return tell(done, RealtimeError::too_large);
  log::format(log::Level::error, "broker", "NATS at {} took no publication: {}", settings_.name(),
              natsStatus_GetText(status));
  tell(done, RealtimeError::outcome_unknown);
}

void NatsBroker::subscribe(std::string_view channel, Completion<Position> done) {
  const std::string subject = subject_of(channel);
  ask(
      channel.size() + call_overhead,
      [this, subject, name = std::string(channel)](Done then) mutable {
        Channel* const found = listen(subject, name);
        if (found == nullptr) return tell(then, RealtimeError::hub_full);
        found->is_wanted = true;
        when_established(subject, *found, std::move(then));
      },
      [this, subject, then = std::move(done)](std::error_code error) mutable {
        // These may come on another thread, before anything was done.
        if (error == RealtimeError::closed || error == RealtimeError::busy) return then(error);
        const auto found = channels_.find(subject);
        if (error || found == channels_.end()) {
          if (found != channels_.end()) found->second.is_wanted = false;
          return then(error ? error : make_error_code(RealtimeError::outcome_unknown));
        }
        then(found->second.history.position());
      });
}

void NatsBroker::unsubscribe(std::string_view channel, Completion<void> done) {
  auto then = std::make_shared<Completion<void>>(std::move(done));
  const bool is_posted = thread_.post([this, subject = subject_of(channel), then] {
    const auto found = channels_.find(subject);
    if (found != channels_.end()) {
      found->second.is_wanted = false;
      found->second.idle_since = IOLoop::current().time();
    }
    (*then)({});
  });
  if (!is_posted) (*then)(RealtimeError::closed);
}

void NatsBroker::history(std::string_view channel, const HistoryQuery& query,
                         Completion<HistoryPage> done) {
  const std::string subject = subject_of(channel);
  ask(
      channel.size() + call_overhead,
      [this, subject, name = std::string(channel)](Done then) mutable {
        Channel* const found = listen(subject, name);
        if (found == nullptr) return tell(then, RealtimeError::hub_full);
        found->idle_since = IOLoop::current().time();
        when_established(subject, *found, std::move(then));
      },
      [this, subject, query, then = std::move(done)](std::error_code error) mutable {
        if (error) return then(error);
        const auto found = channels_.find(subject);
        if (found == channels_.end()) return then(RealtimeError::outcome_unknown);
        NatsHistory& history = found->second.history;
        history_bytes_ -= history.bytes();
        HistoryPage page = history.page(query, IOLoop::current().time());
        history_bytes_ += history.bytes();
        then(std::move(page));
      });
}

void NatsBroker::remove(std::string_view channel, Completion<void> done) {
  ask(
      channel.size() + call_overhead,
      [this, subject = subject_of(channel)](Done then) {
        const auto found = channels_.find(subject);
        if (found != channels_.end()) {
          history_bytes_ -= found->second.history.bytes();
          found->second.history.forget();
        }
        send(subject, forget_mark, std::move(then));  // the other processes' are forgotten, too
      },
      [then = std::move(done)](std::error_code error) mutable {
        if (error) return then(error);
        then({});
      });
}

// --- barriers ------------------------------------------------------------------------------------
//
// NATS core acknowledges nothing. But the server does what a connection sends in its order, so a
// message to ourselves that has come back shows that all before it was done.

void NatsBroker::after_barrier(Done done) {
  next_barrier_.push_back(std::move(done));
  if (std::exchange(barrier_is_posted_, true)) return;
  IOLoop::current().post([this] {  // one for all that this turn sends
    barrier_is_posted_ = false;
    send_barrier();
  });
}

void NatsBroker::send_barrier() {
  if (!is_up_ || next_barrier_.empty()) return;
  barriers_.push_back({++last_barrier_, IOLoop::current().time(), std::move(next_barrier_)});
  next_barrier_.clear();
  const natsStatus status = link_->publish(barrier_subject_, std::to_string(last_barrier_));
  if (status != NATS_OK) lose(natsStatus_GetText(status));
}

void NatsBroker::on_barrier(std::string_view number) {
  std::uint64_t value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  backoff_.reset();
  while (!barriers_.empty() && barriers_.front().number <= value) {
    Barrier barrier = std::move(barriers_.front());
    barriers_.pop_front();
    for (Done& done : barrier.done) tell(done, {});
  }
}

void NatsBroker::fail_barriers(std::error_code error) {
  std::vector<Done> failed;
  for (Barrier& barrier : std::exchange(barriers_, {})) {
    std::move(barrier.done.begin(), barrier.done.end(), std::back_inserter(failed));
  }
  std::move(next_barrier_.begin(), next_barrier_.end(), std::back_inserter(failed));
  next_barrier_.clear();
  for (Done& done : failed) tell(done, error);
}

void NatsBroker::tell(Done& done, std::error_code error) noexcept {
  try {
    done(error);
  } catch (const std::exception& thrown) {
    log::format(log::Level::error, "broker", "a completion threw: {}", thrown.what());
  } catch (...) {
    log::write(log::Level::error, "broker", "a completion threw something unknown");
  }
}

// --- channels ------------------------------------------------------------------------------------

NatsBroker::Channel* NatsBroker::listen(const std::string& subject, std::string_view name) {
  const auto found = channels_.find(subject);
  if (found != channels_.end()) return &found->second;
  if (channels_.size() >= max_channels_) return nullptr;
  Channel& channel = channels_.try_emplace(subject, name).first->second;
  channel.idle_since = IOLoop::current().time();
  if (begin(subject, channel)) return &channel;
  channels_.erase(subject);
  return nullptr;
}

bool NatsBroker::begin(const std::string& subject, Channel& channel) {
  history_bytes_ -= channel.history.bytes();
  channel.history.begin_epoch();
  channel.is_established = false;
  if (!link_->subscribe(subject)) return false;
  after_barrier([this, subject](std::error_code error) {
    const auto found = channels_.find(subject);
    if (!error && found != channels_.end()) found->second.is_established = true;
  });
  return true;
}

void NatsBroker::when_established(const std::string& /*subject*/, const Channel& channel,
                                  Done done) {
  if (channel.is_established) return tell(done, {});
  after_barrier(std::move(done));
}

void NatsBroker::fetch() {
  if (!link_) return;
  const NatsMailbox::Fetched fetched = link_->fetch();
  heard_ = IOLoop::current().time();
  for (natsMsg* message : fetched.messages) {
    on_message(
        natsMsg_GetSubject(message),
        {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))});
  }
  if (fetched.is_lost) lose(fetched.lost_because);
}

void NatsBroker::on_message(std::string_view subject, std::string_view payload) {
  if (subject == barrier_subject_) return on_barrier(payload);
  const auto found = channels_.find(std::string(subject));
  if (found == channels_.end()) return;
  Channel& channel = found->second;
  history_bytes_ -= channel.history.bytes();
  if (payload == forget_mark) {
    channel.history.forget();
  } else {
    read(channel, payload);
  }
  history_bytes_ += channel.history.bytes();
}

void NatsBroker::read(Channel& channel, std::string_view payload) {
  HistoryLimits limits;
  std::int64_t ttl = 0;
  PublicationRef publication;
  if (!payload.empty() && payload.front() == publication_mark) {
    payload.remove_prefix(1);
    if (take_number(payload, limits.size) && take_number(payload, limits.bytes) &&
        take_number(payload, ttl)) {
      publication = read_wire_publication(channel.name, payload, Position());
    }
  }
  if (!publication) {
    log::format(log::Level::warning, "broker", "a message for the channel {} is not Squall's",
                channel.name);
    return;
  }
  if (publication->kind() == PublicationKind::message) {
    limits.ttl = Duration::from_milliseconds(ttl);
    // What all channels may keep together bounds each one; `history_bytes_` is that of the others.
    const std::size_t left = max_history_bytes_ - std::min(history_bytes_, max_history_bytes_);
    limits.bytes = std::min(limits.bytes, left);
    channel.history.count(*publication);
    channel.history.keep(publication, limits, IOLoop::current().time());
  }
  if (channel.is_wanted) listener_->on_publication(std::move(publication));
}

// --- the connection ------------------------------------------------------------------------------

void NatsBroker::connect() {
  link_ = std::make_unique<NatsLink>(max_inbox_bytes_, [this] {
    try {
      static_cast<void>(thread_.post([this] { fetch(); }));
    } catch (const Error&) {  // a million functions wait; a later message tries again
    }
  });
  const std::string why = link_->open(settings_);
  if (!why.empty()) {
    link_.reset();
    return on_failure(why);
  }
  on_open();
}

void NatsBroker::on_failure(std::string_view why) {
  if (!std::exchange(was_reported_, true)) {
    log::format(log::Level::warning, "broker", "NATS at {} is away: {}; trying again",
                settings_.name(), why);
  }
  connect_timer_ = IOLoop::current().call_later(backoff_.pause(), [this] { connect(); });
}

void NatsBroker::on_open() {
  is_up_ = true;
  heard_ = IOLoop::current().time();
  bool is_good = link_->subscribe(barrier_subject_);
  for (auto& [subject, channel] : channels_) is_good = is_good && begin(subject, channel);
  if (!is_good) return lose("a subscription failed");
  after_barrier([this](std::error_code error) {
    if (error) return;
    if (std::exchange(was_reported_, false)) {
      log::format(log::Level::info, "broker", "NATS at {} is back", settings_.name());
    }
    if (std::exchange(is_interrupted_, false)) listener_->on_restored();
  });
  while (is_up_ && !waiting_.empty()) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    waiting.work(std::move(waiting.done));
  }
}

void NatsBroker::lose(std::string_view why) {
  if (!is_up_) return;
  is_up_ = false;
  const std::string reason(why);
  link_.reset();
  fail_barriers(RealtimeError::outcome_unknown);
  for (auto it = channels_.begin(); it != channels_.end();) {
    Channel& channel = it->second;
    history_bytes_ -= channel.history.bytes();
    channel.history.begin_epoch();
    channel.is_established = false;
    it = channel.is_wanted ? std::next(it) : channels_.erase(it);
  }
  if (!std::exchange(is_interrupted_, true)) listener_->on_interrupted();
  on_failure(reason);
}

/// Every quarter of the shortest wait: who has waited too long, does the server still answer.
void NatsBroker::tick() {
  const TimePoint now = IOLoop::current().time();
  drop_expired();
  if (is_up_) {
    if (!barriers_.empty() && now - barriers_.front().sent >= settings_.reply_timeout) {
      lose("the server does not answer");
    } else if (barriers_.empty() && now - heard_ >= settings_.ping_interval) {
      after_barrier([](std::error_code) {});
    }
  }
  if (is_up_ && now - looked_for_idle_ >= quarter(linger_)) drop_idle_channels();
  IOLoop::current().call_later(quarter(std::min(settings_.reply_timeout, queue_timeout_)),
                               [this] { tick(); });
}

void NatsBroker::drop_expired() {
  const TimePoint now = IOLoop::current().time();
  while (!waiting_.empty() && now - waiting_.front().since >= queue_timeout_) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    tell(waiting.done, RealtimeError::broker_unavailable);
  }
}

void NatsBroker::drop_idle_channels() {
  const TimePoint now = looked_for_idle_ = IOLoop::current().time();
  for (auto it = channels_.begin(); it != channels_.end();) {
    Channel& channel = it->second;
    if (channel.is_wanted || now - channel.idle_since < linger_) {
      ++it;
      continue;
    }
    link_->unsubscribe(it->first);
    history_bytes_ -= channel.history.bytes();
    it = channels_.erase(it);
  }
}

BrokerPtr nats_broker(const NatsBrokerOptions& options) {
  return BrokerPtr(new NatsBroker(options));
}

}  // namespace squall::realtime
