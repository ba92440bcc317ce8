// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/password.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

enum class Argon2Variant : std::uint8_t { d = 0, i = 1, id = 2 };  // RFC 9106 §3.1, its numbers

/// A hash with all it was made of but the password.
struct Argon2Hash {
  static constexpr std::uint32_t current_version = 0x13;
  static constexpr std::size_t salt_bytes = 16;
  static constexpr std::size_t hash_bytes = 32;

  Argon2Variant variant = Argon2Variant::id;
  std::uint32_t version = current_version;
  std::uint32_t memory_kib = 0;
  std::uint32_t passes = 0;
  std::uint32_t lanes = 0;
  std::string salt;
  std::string hash;
};

/// Reads `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` (PHC string format), nothing when it is none or
/// a number is past the limits. Without `v` it is version 16, as libraries of 2015 wrote it.
[[nodiscard]] std::optional<Argon2Hash> read_argon2(std::string_view text);
[[nodiscard]] std::string write_argon2(const Argon2Hash& from);

/// Checks the options and makes what they say, without hash; a UsageError.
[[nodiscard]] Argon2Hash argon2_like(const PasswordOptions& options);

/// The bytes of a hash of `size` bytes; on one thread, for as long as it takes. In argon2.cpp, or
/// in no_argon2.cpp a UsageError.
[[nodiscard]] std::string argon2(std::string_view password, const Argon2Hash& like,
                                 std::size_t size);
/// A UsageError when there is no library for it.
void require_argon2();

}  // namespace squall::web
