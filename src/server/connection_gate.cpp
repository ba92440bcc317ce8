// SPDX-License-Identifier: Apache-2.0
#include "server/connection_gate.hpp"

#include <utility>

namespace squall::server {
namespace {

using Place = ConnectionGate::Place;

constexpr Place without_address = 1;
// Above every place that stands for something else; ::/32 is nobody's (RFC 4291 §4).
constexpr Place ipv4_places = Place{1} << 32;

}  // namespace

// An IPv4 address, or the /64 of an IPv6 address: that is what one site, often one host, has.
Place ConnectionGate::place_of(const net::SocketAddress& peer) const noexcept {
  const net::SocketAddress address = peer.unmapped();
  std::size_t bytes = 0;
  if (address.family() == net::SocketAddress::Family::ipv4) bytes = 4;
  if (address.family() == net::SocketAddress::Family::ipv6) bytes = 8;
  if (bytes == 0 || (options_.proxies != nullptr && options_.proxies->contains(address))) {
    return without_address;
  }
  Place place = 0;
  for (std::size_t i = 0; i < bytes; ++i) place = place << 8 | address.bytes()[i];
  if (bytes == 4) return place | ipv4_places;
  // Such as ::1, which stand in nobody's way.
  return place < 2 * ipv4_places ? without_address : place;
}

Place ConnectionGate::enter() noexcept {
  count_.fetch_add(1, std::memory_order_relaxed);
  return without_address;
}

bool ConnectionGate::add_address(Place& place, const net::SocketAddress& peer) {
  if (options_.max_per_address == 0 || place != without_address) return true;
  const Place wanted = place_of(peer);
  if (wanted == without_address) return true;
  const std::scoped_lock lock(mutex_);
  std::size_t& count = of_address_[wanted];
  if (count >= options_.max_per_address) return false;
  ++count;
  place = wanted;
  return true;
}

void ConnectionGate::leave(Place place) noexcept {
  if (place == no_place) return;
  count_.fetch_sub(1, std::memory_order_relaxed);
  if (place == without_address) return;
  const std::scoped_lock lock(mutex_);
  const auto found = of_address_.find(place);
  if (found != of_address_.end() && --found->second == 0) of_address_.erase(found);
}

std::size_t ConnectionGate::addresses() const {
  const std::scoped_lock lock(mutex_);
  return of_address_.size();
}

bool RareLine::is_due(std::uint64_t now_ms, std::size_t& skipped) noexcept {
  if (now_ms < next_ms_) {
    ++skipped_;
    return false;
  }
  next_ms_ = now_ms + pause_ms_;
  skipped = std::exchange(skipped_, 0);
  return true;
}

}  // namespace squall::server
