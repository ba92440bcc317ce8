// SPDX-License-Identifier: Apache-2.0
#include "floor/websocket.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace bench_floor {
namespace {

constexpr std::size_t mask_bytes = 4;
constexpr unsigned opcode_close = 8;
constexpr unsigned opcode_ping = 9;
constexpr unsigned opcode_pong = 10;

/// Moves `size` bytes from `from` down to `to` (never above it), applying the mask on the way.
void unmask(char* to, const char* from, std::size_t size, std::uint32_t key) {
  const std::uint64_t wide = key | (std::uint64_t{key} << 32U);
  std::size_t at = 0;
  for (; at + 32 <= size; at += 32) {
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), from + at, 32);
    for (auto& word : words) word ^= wide;
    std::memcpy(to + at, words.data(), 32);
  }
  for (; at + 8 <= size; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, from + at, 8);
    word ^= wide;
    std::memcpy(to + at, &word, 8);
  }
  std::array<char, mask_bytes> bytes;
  std::memcpy(bytes.data(), &key, mask_bytes);
  for (std::size_t i = 0; at < size; ++at, ++i) {
    to[at] = static_cast<char>(from[at] ^ bytes[i % mask_bytes]);
  }
}

struct Header {
  std::size_t size = 0;  // without the mask; 0 while it is incomplete
  std::uint64_t payload = 0;
};

Header read_header(const char* data, std::size_t size) {
  if (size < 2) return {};
  const auto byte = [data](std::size_t i) { return static_cast<unsigned char>(data[i]); };
  const unsigned short_length = byte(1) & 0x7fU;
  if (short_length < 126) return {2, short_length};
  const std::size_t extended = short_length == 126 ? 2 : 8;
  if (size < 2 + extended) return {};
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < extended; ++i) length = length << 8U | byte(2 + i);
  return {2 + extended, length};
}

}  // namespace

std::string upgrade_answer(std::string_view head) {
  constexpr std::string_view name = "Sec-WebSocket-Key: ";
  constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const auto at = head.find(name);
  if (at == std::string_view::npos) return {};
  const auto start = at + name.size();
  std::string key(head.substr(start, head.find('\r', start) - start));
  key += guid;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  std::array<unsigned char, 29> accept;
  EVP_EncodeBlock(accept.data(), digest.data(), static_cast<int>(digest.size()));
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         std::string(reinterpret_cast<const char*>(accept.data())) + "\r\n\r\n";
}

Turned turn_frames(char* data, std::size_t size) {
  Turned turned;
  char* end = nullptr;
  while (!turned.closing) {
    char* const frame = data + turned.consumed;
    const std::size_t left = size - turned.consumed;
    const Header header = read_header(frame, left);
    const std::size_t prefix = header.size + mask_bytes;
    if (header.size == 0 || left < prefix || left - prefix < header.payload) break;

    std::uint32_t key;
    std::memcpy(&key, frame + header.size, mask_bytes);
    // The first frame stays where it is: its shorter header moves up to its payload.
    if (turned.out == nullptr) turned.out = end = frame + mask_bytes;
    std::memmove(end, frame, header.size);
    const unsigned opcode = static_cast<unsigned char>(end[0]) & 0x0fU;
    if (opcode == opcode_ping) end[0] = static_cast<char>(0x80U | opcode_pong);
    end[1] = static_cast<char>(end[1] & 0x7f);
    unmask(end + header.size, frame + prefix, header.payload, key);
    end += header.size + header.payload;
    turned.consumed += prefix + header.payload;
    turned.closing = opcode == opcode_close;
  }
  if (turned.out != nullptr) turned.out_size = static_cast<std::size_t>(end - turned.out);
  return turned;
}

}  // namespace bench_floor
