// SPDX-License-Identifier: Apache-2.0
#include "locale/text_encoding.hpp"

#include "base/utf8.hpp"
#include "http/ascii.hpp"

#include <fmt/format.h>

namespace squall::locale {
namespace {

constexpr std::string_view utf8_mark = "\xef\xbb\xbf";
constexpr std::string_view little_mark = "\xff\xfe";
constexpr std::string_view big_mark = "\xfe\xff";

std::optional<std::string> from_utf16(std::string_view bytes, std::size_t at, bool big,
                                      std::string& why) {
  const auto unit = [bytes, big](std::size_t where) {
    const auto first = static_cast<unsigned char>(bytes[where]);
    const auto second = static_cast<unsigned char>(bytes[where + 1]);
    return static_cast<std::uint32_t>(big ? first << 8 | second : second << 8 | first);
  };
  std::string out;
  out.reserve(bytes.size());
  for (; at < bytes.size(); at += 2) {
    if (at + 1 == bytes.size()) {
      why = fmt::format("byte {}: half a character of UTF-16", at);
      return {};
    }
    std::uint32_t code = unit(at);
    if (code >= 0xd800 && code < 0xe000) {
      const std::uint32_t low = at + 3 < bytes.size() ? unit(at + 2) : 0;
      if (code >= 0xdc00 || low < 0xdc00 || low >= 0xe000) {
        why = fmt::format("byte {}: not UTF-16", at);
        return {};
      }
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      at += 2;
    }
    append_utf8(out, code);
  }
  return out;
}

std::optional<std::string> checked_utf8(std::string bytes, std::string& why) {
  if (bytes.starts_with(utf8_mark)) bytes.erase(0, utf8_mark.size());
  if (is_utf8(bytes)) return bytes;
  std::size_t line = 1;
  for (std::string_view rest = bytes; !rest.empty(); ++line) {
    const std::size_t end = rest.find('\n');
    if (!is_utf8(rest.substr(0, end))) break;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  why = fmt::format("line {}: not UTF-8", line);
  return {};
}

std::optional<std::string> from_latin1(std::string_view bytes, bool ascii_only, std::string& why) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    if (ascii_only && byte >= 0x80) {
      why = fmt::format("byte {}: not ASCII", at);
      return {};
    }
    append_utf8(out, byte);
  }
  return out;
}

}  // namespace

std::optional<Encoding> encoding_of(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c != '-' && c != '_') plain.push_back(http::ascii::lower(c));
  }
  if (plain.empty()) return Encoding::detect;
  if (plain == "utf8" || plain == "utf8sig") return Encoding::utf8;
  if (plain == "utf16") return Encoding::utf16;
  if (plain == "utf16le") return Encoding::utf16_le;
  if (plain == "utf16be") return Encoding::utf16_be;
  if (plain == "ascii" || plain == "usascii") return Encoding::ascii;
  if (plain == "latin1" || plain == "iso88591") return Encoding::latin1;
  return {};
}

std::optional<std::string> to_utf8(std::string bytes, Encoding encoding, std::string& why) {
  const bool little = std::string_view(bytes).starts_with(little_mark);
  const bool big = std::string_view(bytes).starts_with(big_mark);
  switch (encoding) {
    case Encoding::detect:
      if (!little && !big) return checked_utf8(std::move(bytes), why);
      return from_utf16(bytes, 2, big, why);
    case Encoding::utf8:
      return checked_utf8(std::move(bytes), why);
    case Encoding::utf16:
      return from_utf16(bytes, little || big ? 2 : 0, big, why);
    case Encoding::utf16_le:
      return from_utf16(bytes, little ? 2 : 0, false, why);
    case Encoding::utf16_be:
      return from_utf16(bytes, big ? 2 : 0, true, why);
    case Encoding::ascii:
      return from_latin1(bytes, true, why);
    case Encoding::latin1:
      return from_latin1(bytes, false, why);
  }
  return {};
}

}  // namespace squall::locale
