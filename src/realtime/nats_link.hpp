// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/function.hpp>
#include <squall/base/result.hpp>
#include <squall/realtime/nats_broker.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <nats/nats.h>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::realtime {

/// Where libnats' threads put what came over one connection, for the broker's thread to fetch.
///
/// It takes everything or nothing: once more waits than is allowed, or the connection is lost, what
/// comes later is dropped, so that what was taken never has a hole.
class NatsMailbox {
 public:
  /// `wake` is called, on any thread, when there is something after there was nothing.
  NatsMailbox(std::size_t max_bytes, MoveOnlyFunction<void()> wake);
  NatsMailbox(const NatsMailbox&) = delete;
  NatsMailbox& operator=(const NatsMailbox&) = delete;
  /// Nothing is called any more once this has returned.
  ~NatsMailbox();

  struct Fetched {
    Fetched() = default;
    Fetched(Fetched&&) = default;
    Fetched& operator=(Fetched&&) = delete;
    ~Fetched();
    std::vector<natsMsg*> messages;
    bool is_lost = false;  ///< after these nothing more comes
    std::string lost_because;
  };
  [[nodiscard]] Fetched fetch();

  /// What libnats gets to hand back to its callbacks: a number, because those may be late.
  [[nodiscard]] void* closure() const noexcept { return reinterpret_cast<void*>(number_); }
  static void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure);
  static void on_closed(natsConnection* connection, void* closure);
  static void on_error(natsConnection*, natsSubscription*, natsStatus error, void* closure);

 private:
  template <class F>
  static void with(void* closure, F function);
  void put(natsMsg* message);
  void lose(std::string why);

  std::mutex mutex_;
  const std::size_t max_bytes_;
  MoveOnlyFunction<void()> wake_;
  std::vector<natsMsg*> messages_;
  std::size_t bytes_ = 0;
  std::string lost_because_;
  bool is_lost_ = false;
  bool is_woken_ = false;
  std::uintptr_t number_;
};

/// Copies of the options that a connection needs.
struct NatsSettings {
  NatsSettings() = default;
  std::vector<std::string> servers;
  std::string client_name;
  std::string credentials_file;
  std::string ca_file;
  Duration connect_timeout;
  Duration reply_timeout;
  Duration ping_interval;
  bool tls = false;

  /// For log lines: no password in it.
  [[nodiscard]] std::string name() const;
};
[[nodiscard]] NatsSettings nats_settings(const NatsBrokerOptions& options);

/// One connection to a NATS server, without libnats' way of coming back by itself: a new connection
/// is a new object, so that no message of one is taken for a message of another.
class NatsLink {
 public:
  NatsLink(std::size_t max_inbox_bytes, MoveOnlyFunction<void()> wake)
      : mailbox_(max_inbox_bytes, std::move(wake)) {}
  NatsLink(const NatsLink&) = delete;
  NatsLink& operator=(const NatsLink&) = delete;
  ~NatsLink();

  /// Connects; waits for it. "" or why not.
  [[nodiscard]] std::string open(const NatsSettings& settings);
  [[nodiscard]] bool subscribe(const std::string& subject);
  void unsubscribe(const std::string& subject) noexcept;
  [[nodiscard]] natsStatus publish(const std::string& subject, std::string_view payload) noexcept;
  [[nodiscard]] NatsMailbox::Fetched fetch() { return mailbox_.fetch(); }

 private:
  NatsMailbox mailbox_;
  natsConnection* connection_ = nullptr;
  std::unordered_map<std::string, natsSubscription*> subscriptions_;
};

}  // namespace squall::realtime
