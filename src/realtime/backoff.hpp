// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>

#include <algorithm>
#include <cstdint>
#include <random>

namespace squall::realtime {

/// Pauses between attempts: each up to twice as long as the one before, at random between half of
/// that and all of it, so that many processes do not come back at the same moment.
class Backoff {
 public:
  Backoff(Duration least, Duration most) noexcept
      : least_(std::max<std::int64_t>(least.nanoseconds(), 1'000'000)),
        most_(std::max(most.nanoseconds(), least_)),
        next_(least_) {}

  Duration pause() {
    const std::int64_t longest = next_;
    next_ = std::min(most_, longest > most_ / 2 ? most_ : longest * 2);
    std::uniform_int_distribution<std::int64_t> spread(longest / 2, longest);
    return Duration::from_nanoseconds(spread(random_));
  }
  void reset() noexcept { next_ = least_; }

 private:
  std::int64_t least_;
  std::int64_t most_;
  std::int64_t next_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace squall::realtime
