// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_protocol.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace squall::net {
namespace {

using namespace std::string_view_literals;
using Family = SocketAddress::Family;

constexpr std::string_view text_begin = "PROXY ";
constexpr std::string_view signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t max_text_bytes = 107;  // with its CRLF, §2.1
constexpr std::size_t fixed_bytes = 16;
constexpr unsigned checksum_option = 0x03;
constexpr std::size_t checksum_bytes = 4;

class ProxyCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.net.proxy"; }
  std::string message(int value) const override {
    switch (static_cast<ProxyError>(value)) {
      case ProxyError::no_header:
        return "the connection does not begin with a PROXY header";
      case ProxyError::bad_text:
        return "a malformed PROXY line";
      case ProxyError::bad_version:
        return "an unknown version of the PROXY protocol";
      case ProxyError::bad_command:
        return "an unknown command of the PROXY protocol";
      case ProxyError::bad_family:
        return "an unknown address family of the PROXY protocol";
      case ProxyError::too_short:
        return "a PROXY header without room for its addresses";
      case ProxyError::too_long:
        return "a PROXY header larger than the limit";
      case ProxyError::bad_option:
        return "an option of a PROXY header that reaches past its end";
      case ProxyError::bad_checksum:
        return "a PROXY header with a wrong checksum";
    }
    return "a bad PROXY header";
  }
};

unsigned byte_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<unsigned char>(text[at]);
}

unsigned number_at(std::string_view text, std::size_t at) noexcept {
  return byte_at(text, at) << 8 | byte_at(text, at + 1);
}

const unsigned char* bytes_at(std::string_view text, std::size_t at) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data() + at);
}

// CRC-32C (RFC 3720 §B.4), reflected.
constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0x82f63b78U : 0);
    table[i] = value;
  }
  return table;
}();

// Of a header whose checksum, at `hole`, counts as zeros.
std::uint32_t checksum(std::string_view header, std::size_t hole) noexcept {
  std::uint32_t value = ~0U;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const unsigned byte = i - hole < checksum_bytes ? 0 : byte_at(header, i);
    value = value >> 8 ^ crc_table[(value ^ byte) & 0xff];
  }
  return ~value;
}

/// Reads one step: gives what it found, or why it cannot.
struct Reader {
  std::string_view in;
  ProxyHeader& header;
  ProxyError& error;

  ProxyParse fail(ProxyError why) noexcept {
    error = why;
    return ProxyParse::failed;
  }

  // "TCP4 192.0.2.1 192.0.2.2 56324 443"
  bool read_addresses(std::string_view line) noexcept {
    std::string_view words[5];
    for (std::size_t i = 0; i < 5; ++i) {
      const std::size_t space = line.find(' ');
      words[i] = line.substr(0, space);
      if ((space == std::string_view::npos) != (i == 4)) return false;
      if (i < 4) line.remove_prefix(space + 1);
    }
    Family family = Family::none;
    if (words[0] == "TCP4") family = Family::ipv4;
    if (words[0] == "TCP6") family = Family::ipv6;
    std::uint16_t ports[2];
    for (std::size_t i = 0; i < 2; ++i) {
      const std::string_view digits = words[3 + i];
      const char* const end = digits.data() + digits.size();
      const auto [stop, failure] = std::from_chars(digits.data(), end, ports[i]);
      if (failure != std::errc() || stop != end) return false;
      if (digits.size() > 1 && digits.front() == '0') return false;
    }
    header.source = SocketAddress::parse(words[1], ports[0]);
    header.destination = SocketAddress::parse(words[2], ports[1]);
    return family != Family::none && header.source.family() == family &&
           header.destination.family() == family;
  }

  ProxyParse read_text() noexcept {
    // The first of either: a line feed alone, and a carriage return before other things, are wrong
    // wherever the line was cut.
    const std::size_t end = in.find_first_of("\r\n"sv);
    if (end == std::string_view::npos || (in[end] == '\r' && end + 1 == in.size())) {
      return in.size() < max_text_bytes ? ProxyParse::need_more : fail(ProxyError::bad_text);
    }
    if (in[end] != '\r' || in[end + 1] != '\n') return fail(ProxyError::bad_text);
    header.bytes = end + 2;
    if (header.bytes > max_text_bytes) return fail(ProxyError::bad_text);
    const std::string_view line = in.substr(text_begin.size(), end - text_begin.size());
    // What else stands in such a line is to be ignored.
    if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return ProxyParse::done;
    if (!read_addresses(line)) return fail(ProxyError::bad_text);
    header.has_addresses = true;
    return ProxyParse::done;
  }

  ProxyParse read_binary() noexcept {
    if (in.size() <= signature.size()) return ProxyParse::need_more;
    const unsigned command = byte_at(in, 12);
    if (command >> 4 != 2) return fail(ProxyError::bad_version);
    if ((command & 0xf) > 1) return fail(ProxyError::bad_command);
    if (in.size() < fixed_bytes) return ProxyParse::need_more;
    const unsigned family = byte_at(in, 13);
    if (family >> 4 > 3 || (family & 0xf) > 2) return fail(ProxyError::bad_family);
    const std::size_t length = number_at(in, 14);
    header.bytes = fixed_bytes + length;
    if (header.bytes > limits::proxy_header_bytes) return fail(ProxyError::too_long);
    const bool is_local = (command & 0xf) == 0;
    constexpr std::size_t address_bytes[] = {0, 12, 36, 216};
    const std::size_t addresses = address_bytes[family >> 4];
    if (!is_local && length < addresses) return fail(ProxyError::too_short);
    if (in.size() < header.bytes) return ProxyParse::need_more;
    if (is_local) return ProxyParse::done;  // health checks of the proxy itself
    const std::size_t ports = fixed_bytes + addresses - 4;
    // Only streams come over TCP; for datagrams, and where nothing is said, the socket's count.
    if ((family & 0xf) == 1) {
      header.has_addresses = true;
      switch (family >> 4) {
        case 1:
        case 2: {
          const Family kind = family >> 4 == 1 ? Family::ipv4 : Family::ipv6;
          const std::size_t size = kind == Family::ipv4 ? 4 : 16;
          const auto address = [&](std::size_t index) {
            return SocketAddress::from_bytes(
                kind, bytes_at(in, fixed_bytes + index * size),
                static_cast<std::uint16_t>(number_at(in, ports + index * 2)));
          };
          header.source = address(0).unmapped();
          header.destination = address(1).unmapped();
          break;
        }
        case 3:
          header.source = header.destination = SocketAddress::unix_peer();
          break;
        default:
          header.has_addresses = false;
      }
    }
    return read_options(fixed_bytes + addresses);
  }

  ProxyParse read_options(std::size_t at) noexcept {
    while (at < header.bytes) {
      if (header.bytes - at < 3) return fail(ProxyError::bad_option);
      const std::size_t size = number_at(in, at + 1);
      const std::size_t value = at + 3;
      if (header.bytes - value < size) return fail(ProxyError::bad_option);
      if (byte_at(in, at) == checksum_option) {
        if (size != checksum_bytes) return fail(ProxyError::bad_checksum);
        const std::uint32_t sent = number_at(in, value) << 16 | number_at(in, value + 2);
        if (sent != checksum(in.substr(0, header.bytes), value)) {
          return fail(ProxyError::bad_checksum);
        }
      }
      at = value + size;
    }
    return ProxyParse::done;
  }
};

bool may_begin(std::string_view in, std::string_view expected) noexcept {
  const std::size_t size = std::min(in.size(), expected.size());
  return in.substr(0, size) == expected.substr(0, size);
}

}  // namespace

std::error_code make_error_code(ProxyError error) noexcept {
  static const ProxyCategory category;
  return {static_cast<int>(error), category};
}

ProxyParse parse_proxy_header(std::string_view in, ProxyHeader& header,
                              ProxyError& error) noexcept {
  header = ProxyHeader();
  Reader reader{in, header, error};
  if (may_begin(in, text_begin)) {
    return in.size() < text_begin.size() ? ProxyParse::need_more : reader.read_text();
  }
  if (may_begin(in, signature)) return reader.read_binary();
  return reader.fail(ProxyError::no_header);
}

}  // namespace squall::net
