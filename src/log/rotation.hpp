// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>
#include <string>
#include <string_view>

namespace squall::log {

/// When a file that rotates by time is put aside, and what it is called then.
class Schedule {
 public:
  /// Throws UsageError for a `when` that is none.
  Schedule(std::string_view when, unsigned interval);

  /// The first time to rotate after `from`, in seconds since 1970.
  [[nodiscard]] std::time_t next(std::time_t from) const;
  /// What follows the file's name when the time that ends at `end` is put aside: `2026-01-31`.
  [[nodiscard]] std::string suffix(std::time_t end) const;

 private:
  enum class Kind : unsigned char { seconds, midnight, weekday };
  Kind kind_ = Kind::seconds;
  std::time_t seconds_ = 0;  // between two rotations; a day for the other kinds
  unsigned interval_;
  int weekday_ = 0;  // Monday is 0
  const char* form_;
};

}  // namespace squall::log
