// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/net/network.hpp>

#include <charconv>
#include <cstring>

namespace squall::net {
namespace {

using Family = SocketAddress::Family;

constexpr std::string_view mapped_network_note = "an IPv4-mapped network has at least 96 bits";

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw UsageError("\"" + std::string(text) + "\" is no network: " + std::string(why));
}

unsigned bits_of(Family family) noexcept { return family == Family::ipv4 ? 32 : 128; }

bool bit_is_set(const unsigned char* bytes, unsigned bit) noexcept {
  return (bytes[bit / 8] & (0x80U >> (bit % 8))) != 0;
}

bool same_prefix(const unsigned char* left, const unsigned char* right, unsigned bits) noexcept {
  if (std::memcmp(left, right, bits / 8) != 0) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((left[bits / 8] ^ right[bits / 8]) >> (8 - rest)) == 0;
}

}  // namespace

Network::Network(std::string_view text) {
  if (text == "unix") {
    base_ = SocketAddress::unix_peer();
    return;
  }
  const std::size_t slash = text.find('/');
  const SocketAddress written = SocketAddress::parse(text.substr(0, slash), 0);
  if (written.family() == Family::none) {
    refuse(text, "write an address, an address and a length (192.0.2.0/24), or \"unix\"");
  }
  base_ = written.unmapped();
  unsigned bits = bits_of(written.family());
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    unsigned value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value > bits) {
      refuse(text, "the length is a number of at most " + std::to_string(bits));
    }
    bits = value;
  }
  if (base_.family() != written.family()) {
    if (bits < 96) refuse(text, mapped_network_note);
    bits -= 96;
  }
  for (unsigned bit = bits; bit < bits_of(base_.family()); ++bit) {
    if (bit_is_set(base_.bytes(), bit)) {
      refuse(text, "bits behind the length are set; is the length right?");
    }
  }
  prefix_bits_ = static_cast<std::uint8_t>(bits);
}

bool Network::contains(const SocketAddress& address) const noexcept {
  const SocketAddress asked = address.unmapped();
  return asked.family() == base_.family() &&
         same_prefix(asked.bytes(), base_.bytes(), prefix_bits_);
}

std::string Network::to_string() const {
  std::string text = base_.ip();
  const bool is_one =
      base_.family() == Family::unix_socket || prefix_bits_ == bits_of(base_.family());
  if (!is_one) text.append("/").append(std::to_string(prefix_bits_));
  return text;
}

bool NetworkSet::contains(const SocketAddress& address) const noexcept {
  for (const Network& network : networks_) {
    if (network.contains(address)) return true;
  }
  return false;
}

}  // namespace squall::net
