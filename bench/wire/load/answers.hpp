// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace wire_load {

/// Checks the bytes that come back on one connection.
class Answers {
 public:
  virtual ~Answers() = default;

  /// Takes what one read brought; returns how many answers it completed. Throws Failure at the
  /// first byte that is wrong.
  virtual std::size_t feed(const char* data, std::size_t size) = 0;

  /// True when no answer is half read.
  virtual bool between() const = 0;
};

}  // namespace wire_load
