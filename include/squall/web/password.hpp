// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/task.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

// Passwords as a site keeps them: hashed with Argon2id (RFC 9106), slowly and with much memory, so
// that who steals the hashes cannot try many passwords. Built where libargon2 is; otherwise the
// calls are a UsageError.
namespace squall::web {

/// What one hash costs; more of each is slower for an attacker and for the server. The defaults
/// take about 25 ms. RFC 9106 §4 recommends {.memory_bytes = 64 MiB, .passes = 3, .lanes = 4} where
/// memory is scarce.
struct PasswordOptions {
  std::size_t memory_bytes = 19 * 1024 * 1024;  ///< 8 KiB a lane to limits::password_memory_bytes
  std::uint32_t passes = 2;                     ///< over the memory; 1 to limits::password_passes
  std::uint32_t lanes = 1;  ///< 1 to limits::password_lanes; one thread does all
};
static_assert(std::is_trivially_destructible_v<PasswordOptions>);

/// The text to keep of a password: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, with a salt of its
/// own. It is the form of other libraries of Argon2, too.
///
/// A few threads do the work, so that the loop goes on and memory stays bounded however many users
/// log in; when limits::password_queue calls wait already, HTTPError 503. HTTPError 400 for a
/// password longer than limits::password_bytes. UsageError for options out of their range.
[[nodiscard]] Task<std::string> hash_password(std::string_view password,
                                              const PasswordOptions& options = {});

/// Whether `hash` is that of the password; also for Argon2i and Argon2d, and hashes that other
/// libraries made. False for a password that is too long, and, with a line in the log, for a text
/// that is no such hash or wants more than the limits allow.
///
/// For a user that there is not, pass "": it takes as long as a hash with `options` and is false,
/// so that the time does not tell who is a user. 503 as with hash_password().
[[nodiscard]] Task<bool> verify_password(std::string_view password, std::string_view hash,
                                         const PasswordOptions& options = {});

/// Whether `hash` was made with other options, or is none of Argon2id: then hash the password anew
/// when its user logs in the next time.
[[nodiscard]] bool needs_rehash(std::string_view hash, const PasswordOptions& options = {});

}  // namespace squall::web
