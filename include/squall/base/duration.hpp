// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <type_traits>

namespace squall {

/// A span of time, made from any std::chrono duration: `sleep(250ms)`, `{.timeout = 5s}`.
///
/// It exists so that the public headers need not include <chrono>, which alone costs a second of
/// compile time. Resolution is a nanosecond, range about 292 years.
class Duration {
 public:
  constexpr Duration() noexcept = default;

  /// Converts from std::chrono::duration of any representation and period.
  template <class Chrono>
  requires requires(const Chrono& chrono) {
    chrono.count();
    Chrono::period::num;
    Chrono::period::den;
  }
  constexpr Duration(const Chrono& chrono) noexcept {  // NOLINT: implicit by design
    constexpr std::int64_t second = 1'000'000'000;
    if constexpr (std::is_floating_point_v<decltype(chrono.count())>) {
      nanoseconds_ = static_cast<std::int64_t>(
          static_cast<double>(chrono.count()) *
          (static_cast<double>(second) * Chrono::period::num / Chrono::period::den));
    } else if constexpr (second % Chrono::period::den == 0) {
      nanoseconds_ = static_cast<std::int64_t>(chrono.count()) *
                     (second / Chrono::period::den * Chrono::period::num);
    } else {
      nanoseconds_ = static_cast<std::int64_t>(chrono.count()) * Chrono::period::num /
                     (Chrono::period::den / second);
    }
  }

  [[nodiscard]] static constexpr Duration from_nanoseconds(std::int64_t count) noexcept {
    Duration result;
    result.nanoseconds_ = count;
    return result;
  }
  [[nodiscard]] static constexpr Duration from_milliseconds(std::int64_t count) noexcept {
    return from_nanoseconds(count * 1'000'000);
  }
  [[nodiscard]] static constexpr Duration from_seconds(std::int64_t count) noexcept {
    return from_nanoseconds(count * 1'000'000'000);
  }

  [[nodiscard]] constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }
  /// Whole milliseconds, rounded up, so that a wait is never shorter than asked for.
  [[nodiscard]] constexpr std::int64_t milliseconds() const noexcept {
    return nanoseconds_ > 0 ? (nanoseconds_ + 999'999) / 1'000'000 : nanoseconds_ / 1'000'000;
  }
  [[nodiscard]] constexpr double seconds() const noexcept {
    return static_cast<double>(nanoseconds_) / 1e9;
  }

  friend constexpr Duration operator+(Duration a, Duration b) noexcept {
    return from_nanoseconds(a.nanoseconds_ + b.nanoseconds_);
  }
  friend constexpr Duration operator-(Duration a, Duration b) noexcept {
    return from_nanoseconds(a.nanoseconds_ - b.nanoseconds_);
  }
  friend constexpr auto operator<=>(Duration, Duration) noexcept = default;

 private:
  std::int64_t nanoseconds_ = 0;
};

/// A moment on the monotonic clock, as IOLoop::time() tells it; only differences mean anything.
class TimePoint {
 public:
  constexpr TimePoint() noexcept = default;
  [[nodiscard]] static constexpr TimePoint from_nanoseconds(std::int64_t count) noexcept {
    TimePoint result;
    result.nanoseconds_ = count;
    return result;
  }
  [[nodiscard]] constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }

  friend constexpr TimePoint operator+(TimePoint a, Duration b) noexcept {
    return from_nanoseconds(a.nanoseconds_ + b.nanoseconds());
  }
  friend constexpr TimePoint operator-(TimePoint a, Duration b) noexcept {
    return from_nanoseconds(a.nanoseconds_ - b.nanoseconds());
  }
  friend constexpr Duration operator-(TimePoint a, TimePoint b) noexcept {
    return Duration::from_nanoseconds(a.nanoseconds_ - b.nanoseconds_);
  }
  friend constexpr auto operator<=>(TimePoint, TimePoint) noexcept = default;

 private:
  std::int64_t nanoseconds_ = 0;
};

}  // namespace squall
