// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "websocket/message_parser.hpp"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Frames spelt out byte by byte for the tests, with none of the code they test.
namespace squall::websocket::testing {

inline constexpr MaskKey test_key = {0x37, 0xFA, 0x21, 0x3D};

inline std::string big_endian(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (std::size_t i = size; i-- > 0;) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  return bytes;
}

inline std::string naively_masked(std::string payload, MaskKey key, std::size_t offset = 0) {
  for (std::size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(static_cast<unsigned char>(payload[i]) ^ key[(offset + i) % 4]);
  }
  return payload;
}

/// The head of a frame whose first byte is `first`.
inline std::string head(unsigned first, std::uint64_t size, bool is_masked) {
  std::string bytes(1, static_cast<char>(first));
  const unsigned bit = is_masked ? 0x80U : 0U;
  if (size < 126) {
    bytes += static_cast<char>(bit | static_cast<unsigned>(size));
  } else if (size < 65536) {
    bytes += static_cast<char>(bit | 126U);
    bytes += big_endian(size, 2);
  } else {
    bytes += static_cast<char>(bit | 127U);
    bytes += big_endian(size, 8);
  }
  if (is_masked) bytes.append(test_key.begin(), test_key.end());
  return bytes;
}

/// A masked frame, as a client sends it.
inline std::string masked(unsigned first, std::string_view payload) {
  return head(first, payload.size(), true) + naively_masked(std::string(payload), test_key);
}

/// An unmasked frame, as a server sends it.
inline std::string unmasked(unsigned first, std::string_view payload) {
  return head(first, payload.size(), false) + std::string(payload);
}

/// An event that owns its payload.
struct Seen {
  MessageParser::Kind kind;
  CloseCode code = CloseCode::none;
  std::string payload{};

  friend bool operator==(const Seen&, const Seen&) = default;
};

inline void PrintTo(const Seen& seen, std::ostream* out) {
  *out << "kind " << static_cast<int>(seen.kind) << ", code " << static_cast<int>(seen.code) << ", "
       << seen.payload.size() << " bytes: " << seen.payload.substr(0, 80);
}

/// Feeds `pieces` one after the other and collects the events, a failure as the last.
inline std::vector<Seen> run(MessageParser& parser, const std::vector<std::string>& pieces) {
  std::vector<Seen> events;
  for (const std::string& piece : pieces) {
    // Memory of exactly this size, so that the sanitizer sees a read past the piece.
    std::vector<char> bytes(piece.begin(), piece.end());
    std::span<char> input(bytes);
    for (;;) {
      const MessageParser::Event event = parser.next(input);
      if (event.kind == MessageParser::Kind::need_more) break;
      events.push_back({event.kind, event.code, std::string(event.payload)});
      if (event.kind == MessageParser::Kind::failed) {
        events.back().payload.clear();  // its words are no promise
        return events;
      }
    }
    if (!input.empty()) {
      events.push_back({MessageParser::Kind::need_more, CloseCode::none, "input was left"});
      return events;
    }
  }
  return events;
}

inline std::vector<Seen> run_server(const std::vector<std::string>& pieces,
                                    std::size_t max_message_bytes = 1 << 20) {
  MessageParser parser(MessageParser::Role::server, max_message_bytes);
  return run(parser, pieces);
}

inline std::vector<Seen> failure(CloseCode code) { return {{MessageParser::Kind::failed, code}}; }

}  // namespace squall::websocket::testing
