// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/secret.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// Values that only the server can make, in Tornado's formats and byte for byte the same: what
// cookies carry through a client's hands. They are signed, not encrypted: the client can read them.
namespace squall::web {

inline constexpr int min_supported_signed_value_version = 1;
inline constexpr int max_supported_signed_value_version = 2;
inline constexpr int default_signed_value_version = 2;
inline constexpr int default_signed_value_min_version = 1;

/// What a value is signed with: one secret, or several keys with their versions. A view; what it is
/// made of must live as long as the call it is passed to.
class SigningSecret {
 public:
  SigningSecret(std::string_view secret) noexcept : secret_(secret) {}    // NOLINT
  SigningSecret(const char* secret) noexcept : secret_(secret) {}         // NOLINT
  SigningSecret(const std::string& secret) noexcept : secret_(secret) {}  // NOLINT
  SigningSecret(std::initializer_list<CookieSecret> keys) noexcept
      : has_versions_(true) {  // NOLINT
    keys_ = keys.begin();
    count_ = keys.size();
  }
  SigningSecret(const std::vector<CookieSecret>& keys) noexcept  // NOLINT
      : keys_(keys.data()), count_(keys.size()), has_versions_(true) {}

  [[nodiscard]] bool has_versions() const noexcept { return has_versions_; }
  /// The one secret; or of several the key of that version, without a pointer when there is none.
  [[nodiscard]] std::string_view key(std::uint64_t version) const noexcept;

 private:
  std::string_view secret_;
  const CookieSecret* keys_ = nullptr;
  std::size_t count_ = 0;
  bool has_versions_ = false;
};

/// How a value is signed.
struct SignOptions {
  int version = default_signed_value_version;  ///< 1 or 2; 1 knows one secret only
  int key_version = -1;                        ///< which key signs, of several; needed then
  std::int64_t unix_time = -1;                 ///< seconds since 1970; below zero is now
};
static_assert(std::is_trivially_destructible_v<SignOptions>);

/// What a signed value must be to be believed.
struct VerifyOptions {
  double max_age_days = 31;
  int min_version = default_signed_value_min_version;  ///< 2 refuses values of version 1
  std::int64_t unix_time = -1;                         ///< seconds since 1970; below zero is now
};
static_assert(std::is_trivially_destructible_v<VerifyOptions>);

/// Signs `value` for use under `name`: `2|1:0|10:1300000000|1:k|4:dg==|` and a HMAC-SHA256 of that
/// in hexadecimal digits. UsageError for an empty secret, a version or a key that there is not, and
/// when the result is longer than limits::signed_value_bytes.
[[nodiscard]] std::string create_signed_value(SigningSecret secret, std::string_view name,
                                              std::string_view value,
                                              const SignOptions& options = {});

/// The value behind a signed one, or nothing: when it is not signed by this secret for this name,
/// is too old, malformed, longer than limits::signed_value_bytes, or of a version that is not
/// known, below `min_version`, or whose key there is not. Compares in constant time.
[[nodiscard]] std::optional<std::string> decode_signed_value(SigningSecret secret,
                                                             std::string_view name,
                                                             std::string_view signed_value,
                                                             const VerifyOptions& options = {});

/// The version of the key that a value of version 2 says it is signed with; nothing is verified.
[[nodiscard]] std::optional<int> get_signature_key_version(std::string_view signed_value);

}  // namespace squall::web
