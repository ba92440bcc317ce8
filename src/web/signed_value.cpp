// SPDX-License-Identifier: Apache-2.0
#include "base/base64.hpp"
#include "base/hex.hpp"
#include "base/number.hpp"
#include "base/secrets.hpp"

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/web/signed_value.hpp>

#include <string>
#include <time.h>

namespace squall::web {
namespace {

constexpr std::int64_t day_seconds = 24 * 60 * 60;

// Larger numbers in front are no version, but the beginning of a value of version 1.
constexpr int max_version_number = 999;

std::int64_t now_or(std::int64_t unix_time) noexcept {
  return unix_time < 0 ? static_cast<std::int64_t>(::time(nullptr)) : unix_time;
}

std::string hex(std::string_view bytes) {
  std::string text;
  append_hex(text, bytes);
  return text;
}

std::optional<std::int64_t> number(std::string_view text) noexcept {
  std::int64_t value = 0;
  if (!read_number(text, value) || text.front() == '-') return {};
  return value;
}

int version_of(std::string_view signed_value) noexcept {
  const std::string_view head = signed_value.substr(0, signed_value.find('|'));
  if (head.size() == signed_value.size() || head.empty() || head.front() == '0') return 1;
  const auto version = number(head);
  return version && *version <= max_version_number ? static_cast<int>(*version) : 1;
}

std::string signature_v1(std::string_view secret, std::string_view name, std::string_view payload,
                         std::string_view timestamp) {
  std::string text(name);
  text.append(payload).append(timestamp);
  return hex(hmac_sha1(secret, text));
}

void append_field(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append(1, ':').append(text).append(1, '|');
}

// `length:text|`; false when that is not what stands at `at`.
bool take_field(std::string_view from, std::size_t& at, std::string_view& field) noexcept {
  const std::size_t colon = from.find(':', at);
  if (colon == std::string_view::npos || colon == at) return false;
  const auto size = number(from.substr(at, colon - at));
  const std::size_t rest = from.size() - colon - 1;
  if (!size || static_cast<std::uint64_t>(*size) >= rest) return false;
  const auto length = static_cast<std::size_t>(*size);
  if (from[colon + 1 + length] != '|') return false;
  field = from.substr(colon + 1, length);
  at = colon + 1 + length + 1;
  return true;
}

struct Fields {
  std::int64_t key_version = 0;
  std::int64_t timestamp = 0;
  std::string_view name;
  std::string_view payload;
  std::size_t signed_size = 0;  // up to and with the last pipe
};

std::optional<Fields> fields_of(std::string_view signed_value) noexcept {
  Fields fields;
  std::string_view key_version;
  std::string_view timestamp;
  std::size_t at = 2;  // behind "2|"
  if (!take_field(signed_value, at, key_version) || !take_field(signed_value, at, timestamp) ||
      !take_field(signed_value, at, fields.name) || !take_field(signed_value, at, fields.payload)) {
    return {};
  }
  const auto version_number = number(key_version);
  const auto time_number = number(timestamp);
  if (!version_number || !time_number) return {};
  fields.key_version = *version_number;
  fields.timestamp = *time_number;
  fields.signed_size = at;
  return fields;
}

bool is_expired(std::int64_t timestamp, std::int64_t now, double max_age_days) noexcept {
  return static_cast<double>(timestamp) <
         static_cast<double>(now) - max_age_days * static_cast<double>(day_seconds);
}

std::optional<std::string> decode_v1(SigningSecret secret, std::string_view name,
                                     std::string_view signed_value, const VerifyOptions& options) {
  if (secret.has_versions()) return {};
  const std::size_t first = signed_value.find('|');
  const std::size_t last = signed_value.rfind('|');
  if (first == last || signed_value.find('|', first + 1) != last) return {};
  const std::string_view payload = signed_value.substr(0, first);
  const std::string_view timestamp = signed_value.substr(first + 1, last - first - 1);
  if (!equal_in_constant_time(signature_v1(secret.key(0), name, payload, timestamp),
                              signed_value.substr(last + 1))) {
    return {};
  }
  // The signature does not tell where the value ends and the time begins: digits could be moved
  // from one to the other.
  const auto time_number = number(timestamp);
  if (!time_number || timestamp.front() == '0') return {};
  const std::int64_t now = now_or(options.unix_time);
  if (*time_number > now + 31 * day_seconds) return {};
  if (is_expired(*time_number, now, options.max_age_days)) return {};
  return decode_base64(payload);
}

std::optional<std::string> decode_v2(SigningSecret secret, std::string_view name,
                                     std::string_view signed_value, const VerifyOptions& options) {
  const auto fields = fields_of(signed_value);
  if (!fields) return {};
  const std::string_view key = secret.key(static_cast<std::uint64_t>(fields->key_version));
  if (key.empty()) return {};
  const std::string_view text = signed_value.substr(0, fields->signed_size);
  const std::string_view signature = signed_value.substr(fields->signed_size);
  if (!equal_in_constant_time(hex(hmac_sha256(key, text)), signature)) return {};
  if (fields->name != name) return {};
  if (is_expired(fields->timestamp, now_or(options.unix_time), options.max_age_days)) return {};
  return decode_base64(fields->payload);
}

}  // namespace

std::string_view SigningSecret::key(std::uint64_t version) const noexcept {
  if (!has_versions()) return secret_;
  for (std::size_t i = 0; i < count_; ++i) {
    if (static_cast<std::uint64_t>(keys_[i].version) == version) return keys_[i].key;
  }
  return {};
}

std::string create_signed_value(SigningSecret secret, std::string_view name, std::string_view value,
                                const SignOptions& options) {
  if (secret.has_versions() && options.key_version < 0) {
    throw UsageError("of several keys, key_version says which one signs: set it");
  }
  const std::string_view key = secret.key(static_cast<std::uint64_t>(options.key_version));
  if (key.empty()) {
    throw UsageError(secret.has_versions()
                         ? "there is no key of version " + std::to_string(options.key_version)
                         : "a value is not signed with an empty secret");
  }
  const std::string timestamp = std::to_string(now_or(options.unix_time));
  const std::string payload = encode_base64(value);
  std::string out;
  if (options.version == 1) {
    if (secret.has_versions()) {
      throw UsageError("signed values of version 1 know no versions of keys: use version 2");
    }
    out = payload + "|" + timestamp + "|" + signature_v1(key, name, payload, timestamp);
  } else if (options.version == 2) {
    out = "2|";
    append_field(out, std::to_string(options.key_version < 0 ? 0 : options.key_version));
    append_field(out, timestamp);
    append_field(out, name);
    append_field(out, payload);
    out += hex(hmac_sha256(key, out));
  } else {
    throw UsageError("signed values have version 1 or 2, not " + std::to_string(options.version));
  }
  if (out.size() > limits::signed_value_bytes) {
    throw UsageError("a signed value of " + std::to_string(out.size()) + " bytes: no more than " +
                     std::to_string(limits::signed_value_bytes) + " are read back");
  }
  return out;
}

std::optional<std::string> decode_signed_value(SigningSecret secret, std::string_view name,
                                               std::string_view signed_value,
                                               const VerifyOptions& options) {
  if (options.min_version > max_supported_signed_value_version) {
    throw UsageError("signed values have version 1 or 2: min_version is " +
                     std::to_string(options.min_version));
  }
  if (!secret.has_versions() && secret.key(0).empty()) {
    throw UsageError("no value is signed with an empty secret");
  }
  if (signed_value.empty() || signed_value.size() > limits::signed_value_bytes) return {};
  const int version = version_of(signed_value);
  if (version < options.min_version) return {};
  if (version == 1) return decode_v1(secret, name, signed_value, options);
  if (version == 2) return decode_v2(secret, name, signed_value, options);
  return {};
}

std::optional<int> get_signature_key_version(std::string_view signed_value) {
  if (signed_value.size() > limits::signed_value_bytes || version_of(signed_value) != 2) return {};
  const auto fields = fields_of(signed_value);
  if (!fields || fields->key_version > 0x7fffffff) return {};
  return static_cast<int>(fields->key_version);
}

}  // namespace squall::web
