// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/shared_bytes.hpp"
#include "websocket/deflate.hpp"
#include "websocket/frame.hpp"

#include <atomic>
#include <cstdint>
#include <forward_list>
#include <mutex>
#include <string_view>
#include <utility>

namespace squall::transport {

/// A message that goes to many WebSockets: framed once, and shared by reference between them, also
/// by those of other loops. Counted.
class SharedFrame {
 public:
  /// With one reference.
  static SharedFrame& create(websocket::Opcode opcode, std::string_view payload);
  SharedFrame(const SharedFrame&) = delete;
  SharedFrame& operator=(const SharedFrame&) = delete;

  void add_reference() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept;

  [[nodiscard]] websocket::Opcode opcode() const noexcept { return opcode_; }
  [[nodiscard]] std::string_view payload() const noexcept {
    return plain_.view().substr(head_bytes_);
  }
  /// As a server sends it, without compression.
  [[nodiscard]] const SharedBytes& plain() const noexcept { return plain_; }
  /// The same compressed with these settings, which have no context takeover; plain() when that is
  /// not shorter. Done once for each of the settings.
  [[nodiscard]] const SharedBytes& compressed(const websocket::DeflateSettings& settings);

 private:
  SharedFrame(websocket::Opcode opcode, std::string_view payload);
  ~SharedFrame() = default;

  std::atomic<std::uint32_t> references_{1};
  websocket::Opcode opcode_;
  std::uint8_t head_bytes_;
  SharedBytes plain_;
  std::mutex mutex_;  // other loops may have it, too
  std::forward_list<std::pair<websocket::DeflateSettings, SharedBytes>> compressed_;
};

/// One whole frame as a server sends it.
[[nodiscard]] SharedBytes make_frame(websocket::Opcode opcode, std::string_view payload,
                                     bool compressed = false);

}  // namespace squall::transport
