// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "websocket/frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace squall::websocket {

/// Gives masking keys that no one can guess (RFC 6455 §5.3, §10.3): bytes of a strong source, read
/// 1 KiB at a time, each used once. A key costs a few instructions.
class MaskKeys {
 public:
  /// Fills `bytes` from a strong source, or throws.
  using Fill = void (*)(std::span<std::uint8_t> bytes);

  explicit MaskKeys(Fill fill) noexcept : fill_(fill) {}

  MaskKey next() {
    if (at_ == bytes_.size()) refill();
    MaskKey key;
    for (std::uint8_t& byte : key) byte = bytes_[at_++];
    return key;
  }

  /// This thread's, filled by OpenSSL's RAND_bytes().
  static MaskKeys& of_thread();

 private:
  void refill();

  Fill fill_;
  std::array<std::uint8_t, 1024> bytes_;
  std::size_t at_ = 1024;
};

}  // namespace squall::websocket
