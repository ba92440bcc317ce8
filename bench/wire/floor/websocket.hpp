// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bench_floor {

/// The answer to a WebSocket upgrade request (RFC 6455 §4.2.2), or an empty string without a key.
std::string upgrade_answer(std::string_view head);

/// What became of the client's frames found at the front of a buffer.
struct Turned {
  std::size_t consumed = 0;  // bytes of whole frames
  char* out = nullptr;       // the same frames as a server sends them, inside the buffer
  std::size_t out_size = 0;
  bool closing = false;  // a close frame was among them
};

/// Turns every whole client frame in `data` into a server frame, unmasked in place.
///
/// The frames end up next to each other, so that one send answers all of them.
Turned turn_frames(char* data, std::size_t size);

}  // namespace bench_floor
