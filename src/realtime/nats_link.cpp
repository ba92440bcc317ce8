// SPDX-License-Identifier: Apache-2.0
#include "realtime/nats_link.hpp"

#include "base/logging.hpp"

#include <squall/base/error.hpp>

#include <array>
#include <utility>

namespace squall::realtime {
namespace {

/// The mailboxes that are there, by number. A callback of libnats may come after its connection was
/// destroyed; it finds nothing here then.
struct Mailboxes {
  std::mutex mutex;
  std::unordered_map<std::uintptr_t, NatsMailbox*> by_number;
  std::uintptr_t last = 0;
};
Mailboxes& mailboxes() {
  static Mailboxes* const all = new Mailboxes;  // libnats' threads may outlive main()
  return *all;
}

/// Frees what libnats made when it goes out of scope.
struct OptionsDeleter {
  void operator()(natsOptions* options) const noexcept { natsOptions_Destroy(options); }
};

}  // namespace

NatsMailbox::NatsMailbox(std::size_t max_bytes, MoveOnlyFunction<void()> wake)
    : max_bytes_(max_bytes), wake_(std::move(wake)) {
  const std::scoped_lock lock(mailboxes().mutex);
  number_ = ++mailboxes().last;
  mailboxes().by_number.emplace(number_, this);
}

NatsMailbox::~NatsMailbox() {
  {
    const std::scoped_lock lock(mailboxes().mutex);
    mailboxes().by_number.erase(number_);
  }
  for (natsMsg* message : messages_) natsMsg_Destroy(message);
}

NatsMailbox::Fetched::~Fetched() {
  for (natsMsg* message : messages) natsMsg_Destroy(message);
}

template <class F>
void NatsMailbox::with(void* closure, F function) {
  // The lock is held on, so that the mailbox stays; a mailbox's work is short.
  const std::scoped_lock lock(mailboxes().mutex);
  const auto found = mailboxes().by_number.find(reinterpret_cast<std::uintptr_t>(closure));
  if (found != mailboxes().by_number.end()) function(*found->second);
}

void NatsMailbox::on_message(natsConnection* /*connection*/, natsSubscription* /*subscription*/,
                             natsMsg* message, void* closure) {
  with(closure, [&](NatsMailbox& mailbox) { mailbox.put(std::exchange(message, nullptr)); });
  natsMsg_Destroy(message);
}

void NatsMailbox::on_closed(natsConnection* connection, void* closure) {
  const char* text = nullptr;
  natsConnection_GetLastError(connection, &text);
  std::string why = text != nullptr && *text != '\0' ? text : "the connection was closed";
  with(closure, [&](NatsMailbox& mailbox) { mailbox.lose(std::move(why)); });
}

void NatsMailbox::on_error(natsConnection* /*connection*/, natsSubscription* /*subscription*/,
                           natsStatus error, void* closure) {
  with(closure, [&](NatsMailbox& mailbox) { mailbox.lose(natsStatus_GetText(error)); });
}

void NatsMailbox::put(natsMsg* message) {
  const std::scoped_lock lock(mutex_);
  const auto bytes = static_cast<std::size_t>(natsMsg_GetDataLength(message)) + sizeof(void*) * 32;
  if (!is_lost_ && bytes_ + bytes > max_bytes_) {
    is_lost_ = true;
    lost_because_ = "more came than the broker's thread could take";
  }
  if (is_lost_) {
    natsMsg_Destroy(message);
  } else {
    messages_.push_back(message);
    bytes_ += bytes;
  }
  if (!std::exchange(is_woken_, true)) wake_();
}

void NatsMailbox::lose(std::string why) {
  const std::scoped_lock lock(mutex_);
  if (is_lost_) return;
  is_lost_ = true;
  lost_because_ = std::move(why);
  if (!std::exchange(is_woken_, true)) wake_();
}

NatsMailbox::Fetched NatsMailbox::fetch() {
  const std::scoped_lock lock(mutex_);
  Fetched fetched;
  fetched.messages.swap(messages_);
  fetched.is_lost = is_lost_;
  fetched.lost_because = lost_because_;
  bytes_ = 0;
  is_woken_ = false;
  return fetched;
}

NatsSettings nats_settings(const NatsBrokerOptions& options) {
  NatsSettings settings;
  for (std::string_view rest = options.url; !rest.empty();) {
    const auto comma = rest.find(',');
    const std::string_view server = rest.substr(0, comma);
    if (!server.starts_with("nats://") && !server.starts_with("tls://")) {
      throw UsageError("the URL of a NATS broker looks like nats://user:password@host:4222");
    }
    settings.tls = settings.tls || server.starts_with("tls://");
    settings.servers.emplace_back(server);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  if (settings.servers.empty()) throw UsageError("a NATS broker needs the URL of a server");
  for (const Duration time : {options.connect_timeout, options.reply_timeout, options.queue_timeout,
                              options.ping_interval}) {
    if (time <= Duration()) throw UsageError("the times of a NATS broker must be above zero");
  }
  settings.client_name = options.client_name;
  settings.credentials_file = options.credentials_file;
  settings.ca_file = options.ca_file;
  settings.connect_timeout = options.connect_timeout;
  settings.reply_timeout = options.reply_timeout;
  settings.ping_interval = options.ping_interval;
  return settings;
}

std::string NatsSettings::name() const {
  std::string text;
  for (const std::string& server : servers) {
    const auto at = server.rfind('@');
    const auto scheme = server.find("://") + 3;
    if (!text.empty()) text += ',';
    text += at == std::string::npos ? server.substr(scheme) : server.substr(at + 1);
  }
  return text;
}

std::string NatsLink::open(const NatsSettings& settings) {
  natsOptions* raw = nullptr;
  natsStatus status = natsOptions_Create(&raw);
  const std::unique_ptr<natsOptions, OptionsDeleter> options(raw);
  const auto set = [&](auto function, auto... arguments) {
    if (status == NATS_OK) status = function(raw, arguments...);
  };
  std::vector<const char*> servers;
  for (const std::string& server : settings.servers) servers.push_back(server.c_str());
  set(natsOptions_SetServers, servers.data(), static_cast<int>(servers.size()));
  set(natsOptions_SetName, settings.client_name.c_str());
  set(natsOptions_SetAllowReconnect, false);
  set(natsOptions_SetTimeout, settings.connect_timeout.milliseconds());
  set(natsOptions_SetWriteDeadline, settings.reply_timeout.milliseconds());
  set(natsOptions_SetPingInterval, settings.ping_interval.milliseconds());
  set(natsOptions_SetMaxPingsOut, 2);
  set(natsOptions_UseGlobalMessageDelivery, true);
  set(natsOptions_SetClosedCB, &NatsMailbox::on_closed, mailbox_.closure());
  set(natsOptions_SetErrorHandler, &NatsMailbox::on_error, mailbox_.closure());
  if (settings.tls) set(natsOptions_SetSecure, true);
  if (!settings.ca_file.empty()) {
    set(natsOptions_LoadCATrustedCertificates, settings.ca_file.c_str());
  }
  if (!settings.credentials_file.empty()) {
    set(natsOptions_SetUserCredentialsFromFiles, settings.credentials_file.c_str(),
        static_cast<const char*>(nullptr));
  }
  if (status == NATS_OK) status = natsConnection_Connect(&connection_, raw);
  if (status == NATS_OK) return {};
  connection_ = nullptr;
  const char* const text = nats_GetLastError(nullptr);
  std::string why = natsStatus_GetText(status);
  if (text != nullptr && *text != '\0') why = why + ": " + text;
  return why;
}

NatsLink::~NatsLink() {
  for (auto& [subject, subscription] : subscriptions_) natsSubscription_Destroy(subscription);
  if (connection_ != nullptr) natsConnection_Destroy(connection_);
}

bool NatsLink::subscribe(const std::string& subject) {
  natsSubscription* subscription = nullptr;
  natsStatus status = natsConnection_Subscribe(&subscription, connection_, subject.c_str(),
                                               &NatsMailbox::on_message, mailbox_.closure());
  if (status != NATS_OK) return false;
  subscriptions_[subject] = subscription;
  // The mailbox has the limit, and says so; libnats would drop some and go on.
  status = natsSubscription_SetPendingLimits(subscription, -1, -1);
  return status == NATS_OK;
}

void NatsLink::unsubscribe(const std::string& subject) noexcept {
  const auto found = subscriptions_.find(subject);
  if (found == subscriptions_.end()) return;
  natsSubscription_Unsubscribe(found->second);
  natsSubscription_Destroy(found->second);
  subscriptions_.erase(found);
}

natsStatus NatsLink::publish(const std::string& subject, std::string_view payload) noexcept {
  return natsConnection_Publish(connection_, subject.c_str(), payload.data(),
                                static_cast<int>(payload.size()));
}

}  // namespace squall::realtime
