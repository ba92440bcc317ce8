// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/log.hpp>

#include <cstddef>
#include <string_view>

namespace squall::testing {

/// While it lives, lines of the log that match are counted instead of written; others go where they
/// went before. Several may be nested; they end in the reverse order. Any thread may log meanwhile.
class ExpectLog {
 public:
  /// `regex` (RE2's syntax) is looked for in the text of lines of `channel`, with their fields as
  /// text has them; "" is any channel. UsageError when it is no regular expression. The level is
  /// the least that counts; what the log's own levels leave out is not seen.
  ExpectLog(std::string_view channel, std::string_view regex, log::Level level = log::Level::debug);
  ExpectLog(const ExpectLog&) = delete;
  ExpectLog& operator=(const ExpectLog&) = delete;
  ~ExpectLog();

  /// How many lines have matched.
  [[nodiscard]] std::size_t count() const noexcept;
  [[nodiscard]] bool logged() const noexcept { return count() > 0; }

 private:
  struct Impl;
  Impl* impl_;
};

}  // namespace squall::testing
