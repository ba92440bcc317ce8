// SPDX-License-Identifier: Apache-2.0
#include "base/base64.hpp"

#include <array>

namespace squall {
namespace {

constexpr std::string_view standard_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t not_a_digit = 0xFF;

constexpr std::array<std::uint8_t, 256> invert(std::string_view alphabet) {
  std::array<std::uint8_t, 256> values{};
  values.fill(not_a_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr std::array<std::uint8_t, 256> standard_values = invert(standard_alphabet);
constexpr std::array<std::uint8_t, 256> url_values = invert(url_alphabet);

constexpr unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

}  // namespace

std::size_t encode_base64(char* out, std::string_view bytes, Base64 variant) noexcept {
  const std::string_view alphabet = variant == Base64::standard ? standard_alphabet : url_alphabet;
  char* const begin = out;
  std::size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3) {
    const unsigned group =
        byte_at(bytes, at) << 16 | byte_at(bytes, at + 1) << 8 | byte_at(bytes, at + 2);
    *out++ = alphabet[group >> 18];
    *out++ = alphabet[group >> 12 & 63];
    *out++ = alphabet[group >> 6 & 63];
    *out++ = alphabet[group & 63];
  }
  const std::size_t rest = bytes.size() - at;
  if (rest == 0) return static_cast<std::size_t>(out - begin);
  const unsigned group = byte_at(bytes, at) << 16 | (rest == 2 ? byte_at(bytes, at + 1) << 8 : 0U);
  *out++ = alphabet[group >> 18];
  *out++ = alphabet[group >> 12 & 63];
  if (rest == 2) *out++ = alphabet[group >> 6 & 63];
  if (variant != Base64::url_unpadded) {
    if (rest == 1) *out++ = '=';
    *out++ = '=';
  }
  return static_cast<std::size_t>(out - begin);
}

std::string encode_base64(std::string_view bytes, Base64 variant) {
  std::string text(base64_padded_bytes(bytes.size()), '\0');
  text.resize(encode_base64(text.data(), bytes, variant));
  return text;
}

std::optional<std::string> decode_base64(std::string_view text, Base64 variant) {
  if (variant != Base64::url_unpadded) {
    if (text.size() % 4 != 0) return std::nullopt;
    // At most two, and only where they fill the last group; a third is a wrong character below.
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  }
  const std::size_t rest = text.size() % 4;
  if (rest == 1) return std::nullopt;

  const auto& values = variant == Base64::standard ? standard_values : url_values;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t group = 0;
  std::size_t bits = 0;
  for (const char digit : text) {
    const std::uint8_t value = values[static_cast<unsigned char>(digit)];
    if (value == not_a_digit) return std::nullopt;
    group = group << 6 | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>(group >> bits & 0xFF));
    }
  }
  // Fewer than six bits are left over from the last digit, and they carry nothing.
  if ((group & ((1U << bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace squall
