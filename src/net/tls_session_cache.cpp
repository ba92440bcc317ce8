// SPDX-License-Identifier: Apache-2.0
#include "net/tls_session_cache.hpp"

#include <utility>

namespace squall::net {

void TLSSessionCache::put(std::string_view key, SessionPtr session) {
  const std::scoped_lock lock(mutex_);
  const auto known = by_key_.find(key);
  if (known != by_key_.end()) {
    hosts_.splice(hosts_.begin(), hosts_, known->second);
  } else {
    if (hosts_.size() >= most_hosts_) {
      by_key_.erase(hosts_.back().key);
      hosts_.pop_back();
    }
    hosts_.push_front({std::string(key), {}});
    by_key_.emplace(hosts_.front().key, hosts_.begin());
  }
  std::vector<SessionPtr>& sessions = hosts_.front().sessions;
  if (sessions.size() >= sessions_of_a_host) sessions.erase(sessions.begin());
  sessions.push_back(std::move(session));
}

SessionPtr TLSSessionCache::take(std::string_view key) {
  const std::scoped_lock lock(mutex_);
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) return nullptr;
  const auto host = known->second;
  hosts_.splice(hosts_.begin(), hosts_, host);
  SessionPtr session = std::move(host->sessions.back());
  host->sessions.pop_back();
  if (host->sessions.empty()) {
    by_key_.erase(known);
    hosts_.erase(host);
  }
  return session;
}

std::size_t TLSSessionCache::host_count() {
  const std::scoped_lock lock(mutex_);
  return hosts_.size();
}

}  // namespace squall::net
