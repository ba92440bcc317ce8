// SPDX-License-Identifier: Apache-2.0
#include "transport/outbox.hpp"

#include <memory>
#include <utility>

namespace squall::transport {

SendResult Outbox::add(SharedBytes message, std::string_view key, SlowConsumer policy,
                       std::size_t max_bytes) {
  const std::size_t cost = message.size() + key.size() + entry_bytes;
  SendResult result = SendResult::sent;
  if (policy == SlowConsumer::conflate && !key.empty()) {
    if (const auto found = of_key_.find(key); found != of_key_.end()) {
      if (cost > max_bytes) {
        ++lost_;
        return SendResult::dropped;
      }
      Entry& entry = *found->second;
      // Older ones make room, and in the end the one that is replaced, which is then the oldest.
      while (bytes_ - entry.cost() + cost > max_bytes && first_ != &entry) {
        static_cast<void>(take());
        ++lost_;
      }
      ++lost_;
      if (bytes_ - entry.cost() + cost <= max_bytes) {
        bytes_ = bytes_ - entry.cost() + cost;
        entry.message = std::move(message);
        return SendResult::conflated;
      }
      static_cast<void>(take());
    }
  } else {
    key = {};
  }
  if (bytes_ + cost > max_bytes) {
    if (policy == SlowConsumer::disconnect) return SendResult::overflow;
    if (policy == SlowConsumer::drop_newest || cost > max_bytes) {
      ++lost_;
      return SendResult::dropped;
    }
    while (bytes_ + cost > max_bytes) {
      static_cast<void>(take());
      ++lost_;
    }
    result = SendResult::displaced;
  }
  auto entry = std::make_unique<Entry>();
  entry->message = std::move(message);
  if (!key.empty()) {
    entry->key = key;
    of_key_.emplace(entry->key, entry.get());
  }
  bytes_ += entry->cost();
  Entry* const added = entry.release();
  (last_ != nullptr ? last_->next : first_) = added;
  last_ = added;
  return result;
}

SharedBytes Outbox::take() noexcept {
  const std::unique_ptr<Entry> entry(first_);
  first_ = entry->next;
  if (first_ == nullptr) last_ = nullptr;
  bytes_ -= entry->cost();
  if (!entry->key.empty()) of_key_.erase(entry->key);
  return std::move(entry->message);
}

std::size_t Outbox::take_lost() noexcept { return std::exchange(lost_, 0); }

void Outbox::clear() noexcept {
  while (first_ != nullptr) static_cast<void>(take());
}

}  // namespace squall::transport
