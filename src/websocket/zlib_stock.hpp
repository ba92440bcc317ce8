// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "websocket/deflate.hpp"

#include <cstddef>
#include <memory>
#include <zlib.h>

namespace squall::websocket {

/// One zlib stream that compresses raw DEFLATE and can begin again.
struct DeflateState {
  z_stream stream{};
  unsigned window_bits = 0;
  int memory_level = 0;
  int level = 0;

  DeflateState() noexcept = default;
  DeflateState(const DeflateState&) = delete;
  DeflateState& operator=(const DeflateState&) = delete;
  ~DeflateState();
};

/// One that decompresses, with a window of up to 32 KiB.
struct InflateState {
  z_stream stream{};
  unsigned window_bits = 0;

  InflateState() noexcept = default;
  InflateState(const InflateState&) = delete;
  InflateState& operator=(const InflateState&) = delete;
  ~InflateState();
};

/// A stream at its beginning, of those this thread keeps or a new one. Throws std::bad_alloc.
[[nodiscard]] std::unique_ptr<DeflateState> take_deflate(unsigned window_bits, int memory_level,
                                                         int level);
[[nodiscard]] std::unique_ptr<InflateState> take_inflate(unsigned window_bits);

/// Gives it back, for the next that wants the same; past limits::idle_websocket_codecs it is freed.
void give_back(std::unique_ptr<DeflateState> state) noexcept;
void give_back(std::unique_ptr<InflateState> state) noexcept;

}  // namespace squall::websocket
