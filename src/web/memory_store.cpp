// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "web/store.hpp"

#include <squall/base/error.hpp>

#include <list>
#include <map>
#include <mutex>
#include <string>
#include <time.h>
#include <unordered_map>
#include <utility>

namespace squall::web {

Store::~Store() = default;

std::int64_t store_now(StoreClock clock) {
  if (clock != nullptr) return clock();
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

std::int64_t check_entry(std::string_view value, Duration time_to_live, std::int64_t now) {
  if (time_to_live <= Duration()) {
    throw UsageError("Store::set() keeps a text for a time above zero; erase() removes one");
  }
  if (value.size() > limits::store_value_bytes) {
    throw UsageError("Store::set() takes texts of up to " +
                     std::to_string(limits::store_value_bytes) + " bytes, not " +
                     std::to_string(value.size()));
  }
  return now + time_to_live.milliseconds();
}

struct MemoryStore::Impl {
  static constexpr std::size_t entry_bytes = 256;  // what the containers take for one, about
  static constexpr std::int64_t log_interval_ms = 60'000;

  struct Entry {
    std::string key;
    std::string value;
    std::multimap<std::int64_t, std::list<Entry>::iterator>::iterator end;
  };
  using Entries = std::list<Entry>;

  explicit Impl(const MemoryStoreOptions& from) : options(from) {}

  static std::size_t cost(const Entry& entry) noexcept {
    return entry.key.size() + entry.value.size() + entry_bytes;
  }

  void drop(Entries::iterator entry) {
    bytes -= cost(*entry);
    by_end.erase(entry->end);
    by_key.erase(entry->key);
    entries.erase(entry);
  }

  void drop_ended(std::int64_t now) {
    while (!by_end.empty() && by_end.begin()->first <= now) drop(by_end.begin()->second);
  }

  // The first of the list has just been put there.
  void make_room(std::int64_t now) {
    while (entries.size() > 1 &&
           (entries.size() > options.max_entries || bytes > options.max_bytes)) {
      drop(std::prev(entries.end()));
      ++evicted;
    }
    if (evicted == 0 || now - logged_at < log_interval_ms) return;
    log::format(log::Level::warning, "app",
                "a MemoryStore is full: {} entries that were not used for longest are gone before "
                "their time; see MemoryStoreOptions",
                std::exchange(evicted, 0));
    logged_at = now;
  }

  const MemoryStoreOptions options;
  std::mutex mutex;
  Entries entries;  // used last, first
  std::unordered_map<std::string_view, Entries::iterator> by_key;
  std::multimap<std::int64_t, Entries::iterator> by_end;  // milliseconds since 1970
  std::size_t bytes = 0;
  std::size_t evicted = 0;  // since the log was told
  std::int64_t logged_at = -log_interval_ms;
};

MemoryStore::MemoryStore(const MemoryStoreOptions& options) : impl_(new Impl(options)) {}
MemoryStore::~MemoryStore() { delete impl_; }

Task<OptionalString> MemoryStore::get(std::string key) {
  const std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->by_key.find(key);
  if (found == impl_->by_key.end()) co_return OptionalString();
  const Impl::Entries::iterator entry = found->second;
  if (entry->end->first <= store_now(impl_->options.clock)) {
    impl_->drop(entry);
    co_return OptionalString();
  }
  impl_->entries.splice(impl_->entries.begin(), impl_->entries, entry);
  co_return entry->value;
}

Task<> MemoryStore::set(std::string key, std::string value, Duration time_to_live) {
  const std::int64_t now = store_now(impl_->options.clock);
  const std::int64_t end = check_entry(value, time_to_live, now);
  const std::scoped_lock lock(impl_->mutex);
  impl_->drop_ended(now);
  const auto found = impl_->by_key.find(key);
  if (found != impl_->by_key.end()) impl_->drop(found->second);
  impl_->entries.push_front({std::move(key), std::move(value), {}});
  const auto entry = impl_->entries.begin();
  entry->end = impl_->by_end.emplace(end, entry);
  impl_->by_key.emplace(entry->key, entry);
  impl_->bytes += Impl::cost(*entry);
  impl_->make_room(now);
  return {};
}

Task<> MemoryStore::erase(std::string key) {
  const std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->by_key.find(key);
  if (found != impl_->by_key.end()) impl_->drop(found->second);
  return {};
}

std::size_t MemoryStore::size() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->entries.size();
}

}  // namespace squall::web
