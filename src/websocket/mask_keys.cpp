// SPDX-License-Identifier: Apache-2.0
#include "websocket/mask_keys.hpp"

#include <openssl/rand.h>

#include <stdexcept>

namespace squall::websocket {

void MaskKeys::refill() {
  fill_(bytes_);
  at_ = 0;
}

MaskKeys& MaskKeys::of_thread() {
  thread_local MaskKeys keys([](std::span<std::uint8_t> bytes) {
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
      throw std::runtime_error("OpenSSL has no random bytes");
    }
  });
  return keys;
}

}  // namespace squall::websocket
