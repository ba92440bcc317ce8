// SPDX-License-Identifier: Apache-2.0
#include "net/tls_tickets.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstring>

namespace squall::net {
namespace {

void wipe(TicketKeys::Key& key) noexcept { OPENSSL_cleanse(&key, sizeof key); }

}  // namespace

TicketKeys::~TicketKeys() { forget(); }

void TicketKeys::forget() {
  const std::scoped_lock lock(mutex_);
  for (Key& key : keys_) wipe(key);
  keys_.clear();
}

std::size_t TicketKeys::size() {
  const std::scoped_lock lock(mutex_);
  return keys_.size();
}

void TicketKeys::drop_old(std::uint64_t now_ns) {
  std::size_t old = 0;
  // A key seals for `rotation`, and its last ticket lives for `lifetime` after that.
  while (old < keys_.size() && keys_[old].made_ns + rotation_ns_ + lifetime_ns_ < now_ns) {
    wipe(keys_[old]);
    ++old;
  }
  keys_.erase(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(old));
}

bool TicketKeys::current(std::uint64_t now_ns, Key& key) {
  const std::scoped_lock lock(mutex_);
  if (keys_.empty() || keys_.back().made_ns + rotation_ns_ < now_ns) {
    Key fresh;
    if (RAND_bytes(fresh.name.data(), static_cast<int>(fresh.name.size())) != 1 ||
        RAND_priv_bytes(fresh.cipher.data(), static_cast<int>(fresh.cipher.size())) != 1 ||
        RAND_priv_bytes(fresh.mac.data(), static_cast<int>(fresh.mac.size())) != 1) {
      return false;
    }
    fresh.made_ns = now_ns;
    // Grown by hand: a reallocation would leave secrets behind in the old memory.
    std::vector<Key> grown;
    grown.reserve(keys_.size() + 1);
    grown.assign(keys_.begin(), keys_.end());
    grown.push_back(fresh);
    for (Key& old : keys_) wipe(old);
    keys_.swap(grown);
    wipe(fresh);
    drop_old(now_ns);
  }
  key = keys_.back();
  return true;
}

TicketKeys::Found TicketKeys::find(const unsigned char* name, std::uint64_t now_ns, Key& key) {
  const std::scoped_lock lock(mutex_);
  drop_old(now_ns);
  for (const Key& known : keys_) {
    if (std::memcmp(known.name.data(), name, name_bytes) != 0) continue;
    key = known;
    return &known == &keys_.back() && now_ns <= known.made_ns + rotation_ns_ ? Found::current
                                                                             : Found::old;
  }
  return Found::no;
}

}  // namespace squall::net
