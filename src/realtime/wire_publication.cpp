// SPDX-License-Identifier: Apache-2.0
#include "realtime/wire_publication.hpp"

#include "base/hex.hpp"

#include <squall/base/limits.hpp>

#include <atomic>
#include <charconv>
#include <cstdint>
#include <random>

namespace squall::realtime {
namespace {

constexpr char version = '1';

void append_number(std::string& to, std::size_t number, char end) {
  char digits[24];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  to += end;
}

/// A number and the character behind it.
bool take_number(std::string_view& text, char end, std::size_t& number) noexcept {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop == text.data() + text.size() || *stop != end) return false;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()) + 1);
  return true;
}

bool take_text(std::string_view& text, std::size_t size, std::string_view& piece) noexcept {
  if (size > text.size() || size > 0xffff) return false;
  piece = text.substr(0, size);
  text.remove_prefix(size);
  return true;
}

char letter_of(PublicationKind kind) noexcept {
  switch (kind) {
    case PublicationKind::join:
      return 'j';
    case PublicationKind::leave:
      return 'l';
    case PublicationKind::message:
      break;
  }
  return 'm';
}

}  // namespace

void append_wire_publication(std::string& to, const Publication& publication) {
  to += version;
  to += letter_of(publication.kind());
  to += publication.is_binary() ? 'b' : 't';
  append_number(to, publication.key().size(), '.');
  append_number(to, publication.client().size(), '.');
  append_number(to, publication.user().size(), ';');
  to += publication.key();
  to += publication.client();
  to += publication.user();
  to += publication.data();
}

PublicationRef read_wire_publication(std::string_view channel, std::string_view wire,
                                     const Position& position) {
  PublicationFields fields;
  fields.position = position;
  if (wire.size() < 3 || wire[0] != version) return {};
  if (wire[1] == 'j') {
    fields.kind = PublicationKind::join;
  } else if (wire[1] == 'l') {
    fields.kind = PublicationKind::leave;
  } else if (wire[1] != 'm') {
    return {};
  }
  if (wire[2] != 't' && wire[2] != 'b') return {};
  fields.binary = wire[2] == 'b';
  wire.remove_prefix(3);
  std::size_t key = 0;
  std::size_t client = 0;
  std::size_t user = 0;
  if (!take_number(wire, '.', key) || !take_number(wire, '.', client) ||
      !take_number(wire, ';', user)) {
    return {};
  }
  if (!take_text(wire, key, fields.key) || !take_text(wire, client, fields.client) ||
      !take_text(wire, user, fields.user)) {
    return {};
  }
  if (channel.size() > limits::channel_name_bytes || wire.size() > 0xffffffff) return {};
  return Publication::create(channel, wire, fields);
}

std::string new_epoch() {
  static const std::uint64_t base = [] {
    std::random_device random;
    return std::uint64_t{random()} << 32 | random();
  }();
  static std::atomic<std::uint64_t> count{0};
  // splitmix64: a permutation, so a process never gives the same twice.
  std::uint64_t mixed = base + (count.fetch_add(1) + 1) * 0x9e3779b97f4a7c15ULL;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  mixed ^= mixed >> 31;
  std::string epoch;
  append_hex(epoch, {reinterpret_cast<const char*>(&mixed), sizeof mixed});
  return epoch;
}

}  // namespace squall::realtime
