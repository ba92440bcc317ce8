// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace squall::tools {

/// Keeps what a program writes, so that a page can show it. Bounded: of a build what came first
/// counts, of a program what came last.
class OutputText {
 public:
  enum class Keep : bool { first, last };
  OutputText(Keep keep, std::size_t max_bytes) noexcept : keep_(keep), max_bytes_(max_bytes) {}

  void add(std::string_view bytes);
  /// Without colours and lines of progress, as UTF-8.
  [[nodiscard]] std::string text() const;

 private:
  Keep keep_;
  std::size_t max_bytes_;
  std::string bytes_;
  bool cut_ = false;
};

}  // namespace squall::tools
