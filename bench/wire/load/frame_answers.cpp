// SPDX-License-Identifier: Apache-2.0
#include "load/frame_answers.hpp"

#include "load/raw_deflate.hpp"

#include <algorithm>
#include <cstring>

namespace wire_load {
namespace {

constexpr unsigned rsv1 = 0x40;

void append_length(std::string& frame, std::size_t length) {
  constexpr unsigned masked = 0x80;
  if (length < 126) {
    frame += static_cast<char>(masked | length);
    return;
  }
  const unsigned bytes = length < 65536 ? 2 : 8;
  frame += static_cast<char>(masked | (bytes == 2 ? 126U : 127U));
  for (unsigned i = bytes; i-- != 0;) frame += static_cast<char>(length >> (8U * i));
}

std::size_t header_bytes(unsigned char second) {
  const unsigned length = second & 0x7fU;
  return length < 126 ? 2U : length == 126 ? 4U : 10U;
}

}  // namespace

std::string client_frame(Opcode opcode, std::string_view payload, std::uint32_t mask) {
  std::string frame;
  frame += static_cast<char>(0x80U | static_cast<unsigned>(opcode));
  append_length(frame, payload.size());
  std::array<char, 4> key;
  std::memcpy(key.data(), &mask, key.size());
  frame.append(key.data(), key.size());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(payload[i] ^ key[i % key.size()]);
  }
  return frame;
}

std::string compressed_client_frame(Opcode opcode, std::string_view payload, std::uint32_t mask) {
  std::string frame = client_frame(opcode, raw_deflate(payload), mask);
  frame[0] = static_cast<char>(static_cast<unsigned char>(frame[0]) | rsv1);
  return frame;
}

Connection open_websocket(std::uint16_t port, std::string_view path, bool compression) {
  Connection connection(port);
  std::string request = "GET ";
  request.append(path).append(
      " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n");
  if (compression) {
    request += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
  }
  request += "\r\n";
  connection.send_all(request);
  std::string head;
  std::array<char, 4096> buffer;
  while (!head.ends_with("\r\n\r\n")) {
    const auto got = connection.receive_some(buffer.data(), buffer.size());
    if (got == 0) throw Failure("closed during the handshake");
    head.append(buffer.data(), got);
    if (head.size() > buffer.size()) throw Failure("handshake answer too long");
  }
  // The nonce of RFC 6455 §1.3 and the answer it must get.
  const bool is_right = head.starts_with("HTTP/1.1 101 ") &&
                        head.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos;
  if (!is_right) throw Failure("wrong handshake: " + head.substr(0, 120));
  const bool is_agreed = head.find(": permessage-deflate") != std::string::npos;
  if (is_agreed != compression) throw Failure("wrong compression: " + head);
  return connection;
}

std::size_t FrameAnswers::feed(const char* data, std::size_t size) {
  std::size_t complete = 0;
  std::string_view left(data, size);
  while (!left.empty()) {
    left.remove_prefix(in_payload_ ? feed_payload(left) : feed_header(left));
    if (in_payload_ && frame_left_ == 0 && finish_frame()) ++complete;
  }
  return complete;
}

std::size_t FrameAnswers::feed_header(std::string_view data) {
  std::size_t used = 0;
  while (used < data.size()) {
    header_[header_size_++] = static_cast<unsigned char>(data[used++]);
    if (header_size_ < 2 || header_size_ < header_bytes(header_[1])) continue;
    check_header();
    break;
  }
  return used;
}

void FrameAnswers::check_header() {
  const unsigned opcode = header_[0] & 0x0fU;
  if ((header_[1] & 0x80U) != 0) throw Failure("server frame is masked");
  const bool begins_compressed = expected_->is_compressed && opcode < 8 && !continues_;
  const unsigned reserved = begins_compressed ? rsv1 : 0U;
  if ((header_[0] & 0x70U) != reserved) throw Failure("wrong reserved bits");
  frame_left_ = header_[1] & 0x7fU;
  if (header_size_ > 2) {
    frame_left_ = 0;
    for (std::size_t i = 2; i < header_size_; ++i) frame_left_ = frame_left_ << 8U | header_[i];
  }
  if (opcode == 8) throw Failure("server closed the WebSocket");
  is_control_ = opcode > 8;
  const unsigned due = continues_ ? 0U : static_cast<unsigned>(expected_->opcode);
  if (!is_control_ && opcode != due) {
    throw Failure("wrong opcode " + std::to_string(opcode));
  }
  in_payload_ = true;
}

std::size_t FrameAnswers::feed_payload(std::string_view data) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), frame_left_));
  frame_left_ -= size;
  if (is_control_) return size;
  if (expected_->is_compressed) {
    compressed_.append(data.substr(0, size));
  } else {
    compare(data.substr(0, size));
  }
  return size;
}

void FrameAnswers::compare(std::string_view data) {
  const std::string& payload = expected_->payloads[next_];
  if (message_offset_ + data.size() > payload.size() ||
      std::memcmp(data.data(), payload.data() + message_offset_, data.size()) != 0) {
    throw Failure("wrong payload: " + std::string(data.substr(0, 80)));
  }
  message_offset_ += data.size();
}

/// True when a whole data message has come.
bool FrameAnswers::finish_frame() {
  in_payload_ = false;
  header_size_ = 0;
  if (is_control_) return false;
  continues_ = (header_[0] & 0x80U) == 0;
  if (continues_) return false;
  if (expected_->is_compressed) {
    compare(raw_inflate(compressed_, expected_->payloads[next_].size()));
    compressed_.clear();
  }
  if (message_offset_ != expected_->payloads[next_].size()) throw Failure("message too short");
  message_offset_ = 0;
  next_ = next_ + 1 == expected_->payloads.size() ? 0 : next_ + 1;
  return true;
}

}  // namespace wire_load
