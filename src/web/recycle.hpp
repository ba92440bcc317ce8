// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace squall::web {

/// Empties a buffer that is used again; what a large body has left of it goes back.
inline void recycle(std::string& buffer) noexcept {
  constexpr std::size_t kept_bytes = 64 * 1024;
  buffer.clear();
  if (buffer.capacity() > kept_bytes) std::string().swap(buffer);
}

}  // namespace squall::web
