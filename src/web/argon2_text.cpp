// SPDX-License-Identifier: Apache-2.0
#include "base/base64.hpp"
#include "web/argon2.hpp"

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>

#include <charconv>

// How Argon2's hashes are written, and what of them is accepted.
namespace squall::web {
namespace {

constexpr std::size_t min_salt_bytes = 8;
constexpr std::size_t min_hash_bytes = 12;  // the PHC string format's own bounds
constexpr std::size_t max_part_bytes = 64;
constexpr std::uint32_t kib_a_lane = 8;  // RFC 9106 §3.1
constexpr std::uint32_t max_memory_kib = limits::password_memory_bytes / 1024;

std::string_view name_of(Argon2Variant variant) noexcept {
  if (variant == Argon2Variant::id) return "argon2id";
  return variant == Argon2Variant::i ? "argon2i" : "argon2d";
}

bool take(std::string_view& from, std::string_view text) noexcept {
  if (!from.starts_with(text)) return false;
  from.remove_prefix(text.size());
  return true;
}

// Decimal digits without superfluous zeros.
bool take_number(std::string_view& from, std::uint32_t& value) noexcept {
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), value);
  const auto size = static_cast<std::size_t>(end - from.data());
  if (error != std::errc() || (from.front() == '0' && size > 1)) return false;
  from.remove_prefix(size);
  return true;
}

std::string unpadded(std::string_view bytes) {
  std::string text = encode_base64(bytes);
  text.resize(text.find_last_not_of('=') + 1);
  return text;
}

bool read_unpadded(std::string_view text, std::size_t min_bytes, std::string& bytes) {
  if (text.size() > base64_padded_bytes(max_part_bytes) || text.ends_with('=')) return false;
  std::string padded(text);
  padded.append((4 - text.size() % 4) % 4, '=');
  auto decoded = decode_base64(padded);
  if (!decoded || decoded->size() < min_bytes || decoded->size() > max_part_bytes) return false;
  bytes = std::move(*decoded);
  return true;
}

bool is_allowed(const Argon2Hash& hash) noexcept {
  return hash.lanes >= 1 && hash.lanes <= limits::password_lanes && hash.passes >= 1 &&
         hash.passes <= limits::password_passes && hash.memory_kib >= kib_a_lane * hash.lanes &&
         hash.memory_kib <= max_memory_kib;
}

}  // namespace

std::optional<Argon2Hash> read_argon2(std::string_view text) {
  Argon2Hash hash;
  // The longest name first: one is the beginning of another.
  if (take(text, "$argon2id$")) {
    hash.variant = Argon2Variant::id;
  } else if (take(text, "$argon2i$")) {
    hash.variant = Argon2Variant::i;
  } else if (take(text, "$argon2d$")) {
    hash.variant = Argon2Variant::d;
  } else {
    return {};
  }
  hash.version = 0x10;
  if (take(text, "v=") && (!take_number(text, hash.version) || !take(text, "$"))) return {};
  if (hash.version != 0x10 && hash.version != Argon2Hash::current_version) return {};
  if (!take(text, "m=") || !take_number(text, hash.memory_kib) || !take(text, ",t=") ||
      !take_number(text, hash.passes) || !take(text, ",p=") || !take_number(text, hash.lanes) ||
      !take(text, "$")) {
    return {};
  }
  const std::size_t end = text.find('$');
  if (end == std::string_view::npos || !is_allowed(hash) ||
      !read_unpadded(text.substr(0, end), min_salt_bytes, hash.salt) ||
      !read_unpadded(text.substr(end + 1), min_hash_bytes, hash.hash)) {
    return {};
  }
  return hash;
}

std::string write_argon2(const Argon2Hash& from) {
  std::string text = "$";
  text.append(name_of(from.variant)).append("$v=").append(std::to_string(from.version));
  text.append("$m=").append(std::to_string(from.memory_kib));
  text.append(",t=").append(std::to_string(from.passes));
  text.append(",p=").append(std::to_string(from.lanes));
  return text.append("$").append(unpadded(from.salt)).append("$").append(unpadded(from.hash));
}

Argon2Hash argon2_like(const PasswordOptions& options) {
  Argon2Hash like;
  const std::size_t kib = options.memory_bytes / 1024;
  like.memory_kib = kib > max_memory_kib ? 0 : static_cast<std::uint32_t>(kib);
  like.passes = options.passes;
  like.lanes = options.lanes;
  if (!is_allowed(like)) {
    throw UsageError(
        "PasswordOptions: 1 to " + std::to_string(limits::password_lanes) + " lanes, 1 to " +
        std::to_string(limits::password_passes) + " passes, and 8 KiB a lane to " +
        std::to_string(limits::password_memory_bytes / (1024 * 1024)) + " MiB of memory");
  }
  return like;
}

}  // namespace squall::web
