// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace squall {

/// HMAC (RFC 2104) of `message`, as bytes: 32 with SHA-256, 20 with SHA-1. The key may have any
/// length.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view message);
/// For formats that are bound to it; HMAC does not need what SHA-1 has lost.
[[nodiscard]] std::string hmac_sha1(std::string_view key, std::string_view message);

/// Hashes, as bytes: 32 of SHA-256, 16 of MD5.
[[nodiscard]] std::string sha256(std::string_view message);
/// For formats that are bound to it. Throws Error where OpenSSL may not compute it (FIPS).
[[nodiscard]] std::string md5(std::string_view message);

/// Whether both are the same, in a time that tells nothing but their lengths.
[[nodiscard]] bool equal_in_constant_time(std::string_view left, std::string_view right) noexcept;

/// Bytes that nobody can guess. Throws Error when the system gives none.
void fill_randomly(std::span<char> bytes);
[[nodiscard]] std::string random_bytes(std::size_t count);

}  // namespace squall
