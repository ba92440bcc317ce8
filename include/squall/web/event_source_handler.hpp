// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/slow_consumer.hpp>
#include <squall/web/detail/handler_type.hpp>
#include <squall/web/detail/hub_fwd.hpp>
#include <squall/web/output_awaiter.hpp>
#include <squall/web/request_handler.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace squall::web {

class EventStream;
class SharedEventData;
using squall::SendResult;

/// One event of a stream. Views: send_event() copies what it needs.
///
/// With an id or a retry alone nothing is dispatched in the page; the client takes note of it.
struct ServerEvent {
  std::string_view event = {};  ///< the event's name in the page; "" is "message"
  std::string_view id = {};     ///< what the client tells as Last-Event-ID when it comes back
  std::string_view data = {};   ///< UTF-8, any number of lines: CR, LF and CRLF all arrive as LF
  Duration retry = {};          ///< how long the client waits before it comes back; zero: unsaid
  std::string_view key = {};    ///< for SlowConsumer::conflate: replaces what waits with the same
};
static_assert(std::is_trivially_destructible_v<ServerEvent>);

/// An event that is written out once, to be sent to many clients, on any loop. Copies share it.
class SharedEvent {
 public:
  /// UsageError as send_event().
  explicit SharedEvent(const ServerEvent& event);
  SharedEvent(const SharedEvent& other) noexcept;
  SharedEvent& operator=(SharedEvent other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~SharedEvent();

  /// The lines as they are sent, with the empty one behind them.
  [[nodiscard]] std::string_view text() const noexcept;

 private:
  friend class EventStream;
  SharedEventData* data_;
};

/// Base of the classes that send a stream of events to a page's EventSource (server-sent events;
/// HTML Living Standard, section 9.2): one object a client.
///
/// Define what you need of
///
///     void open();      // or with the route's path arguments; may be a coroutine (`Task<>`)
///     void on_close();  // exactly once for each stream that has begun, whatever happened
///
/// open() begins the stream: the response's head leaves with the first event, when open() first
/// waits, or when it has ended. What is to be refused is refused in prepare(), which may be a
/// coroutine, or in open() before that: by an exception (HTTPError), by finish(), or by
/// set_status() with another status than 200. To tell an EventSource not to come back, answer 204.
///
/// The stream goes on when open() has ended, plain or coroutine, until close() is called or the
/// client leaves. Then the awaits of an open() that still runs end with CancelledError, and
/// on_close() follows, never inside a call you make; the object is deleted after it. An exception
/// in open() after the stream has begun breaks it off, so that the client comes back.
///
/// The request may be used until open() has ended; then its memory is given back, unless
/// keep_request() was called. Content-Type is text/event-stream, Cache-Control no-store, and
/// X-Accel-Buffering no (for nginx), unless set_header() says otherwise. Nothing is compressed
/// unless set_compression(true) asks for it; then every event is flushed through. HEAD is answered
/// without open().
class EventSourceHandler : public RequestHandler {
 public:
  ~EventSourceHandler() override;

  /// The id of the last event that this client has had before it came back, else "": the field
  /// Last-Event-ID, or a query argument Last-Event-ID, lastEventId or last_event_id, which
  /// replacements of EventSource use. In prepare() and until open() has ended.
  [[nodiscard]] std::string last_event_id();

  // From anywhere on the loop.

  /// Sends an event. Never blocks and never throws for a client that has left. A UsageError for a
  /// name or an id with a line break or a NUL, and before open().
  SendResult send_event(const ServerEvent& event);
  SendResult send_event(std::string_view data) { return send_event(ServerEvent{.data = data}); }
  SendResult send_event(const SharedEvent& event);
  /// Sends a comment, which the page does not see.
  SendResult send_comment(std::string_view text = {});

  // With a hub, of <squall/realtime.hpp>.

  /// Sends what is published on the channel as events, until the stream ends; awaited or not. The
  /// position is the event's id, so that a client that comes back resumes by itself: it first gets
  /// an event `recovered` and what it missed, or an event `reset` when that is not to be had; both
  /// have JSON as data ({"channel", "missed"} and {"channel", "position", "reason"}). `reset` comes
  /// also later, when publications were lost. Members who come and go are events `join` and
  /// `leave`; data that is not UTF-8 is sent in base64 as an event `binary`.
  ///
  /// That is for the first channel. Events of further ones are named after their channel and have
  /// no id: what is missed of these while the client is away is not known.
  ///
  /// Throws HTTPError 403 where the hub's authorizer forbids it and the stream has not begun.
  HubSubscription subscribe(realtime::Hub& hub, std::string_view channel);
  HubSubscription subscribe(realtime::Hub& hub, std::string_view channel,
                            const realtime::SubscribeOptions& options);
  /// False when there is no such subscription.
  bool unsubscribe(realtime::Hub& hub, std::string_view channel);

  /// A comment is sent whenever nothing else was for this long, so that proxies and the client see
  /// that the connection lives; zero for never. Settings::event_source_heartbeat by default, which
  /// is 15 s.
  void set_heartbeat(Duration interval);

  /// What becomes of events when this client reads too slowly, in place of
  /// Settings::event_source_slow_consumer; at most `max_bytes` wait then (zero:
  /// Settings::event_source_max_queue), beside 64 KiB that are on their way already. When events
  /// were dropped (not: conflated) the client is told by an event `dropped` with {"count": n} as
  /// its data, ahead of the next one.
  void set_slow_consumer(SlowConsumer policy, std::size_t max_bytes = 0);

  /// Ends the stream once what was sent has left. An EventSource comes back then: to keep it away,
  /// tell the page by an event to close its side first.
  void close();

  /// Whether events can still be sent.
  [[nodiscard]] bool is_open() const noexcept;
  /// Bytes that wait for this client.
  [[nodiscard]] std::size_t pending_bytes() const noexcept;
  /// `co_await drained();` waits until they are none; throws StreamClosedError when the client has
  /// left.
  [[nodiscard]] OutputAwaiter drained() noexcept;

  /// Called in open(): keeps request() usable for as long as the stream lives, at the price of its
  /// memory (two kilobytes and the head).
  void keep_request() noexcept;

  /// The application shuts down. The default tells the client to come back after a random time of
  /// up to Settings::reconnect_spread, so that not all of them come at once, and closes the stream.
  void on_shutdown() override;

 private:
  friend class EventStream;
  [[nodiscard]] EventStream& stream() const;

  EventStream* stream_ = nullptr;
};

namespace detail {

template <class T>
constexpr EventsType describe_events() {
  EventsType made;
  static_assert(
      requires { &T::open; },
      "an EventSourceHandler has one public function open(), with the route's path arguments");
  made.open = MemberVerb<T, &T::open>::entry;
  if constexpr (requires(T & handler) { handler.on_close(); }) {
    made.close = [](EventSourceHandler& handler) { static_cast<T&>(handler).on_close(); };
  }
  return made;
}

template <class T>
requires std::is_base_of_v<EventSourceHandler, T>
struct Describe<T> {
  static constexpr EventsType events = describe_events<T>();
  static constexpr HandlerType make() {
    HandlerType made = describe_handler<T>();
    made.events = &events;
    return made;
  }
  static constexpr HandlerType type = make();
};

}  // namespace detail
}  // namespace squall::web
