// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/realtime/channel_options.hpp>

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace squall::realtime::detail {

/// 1 to limits::channel_name_bytes bytes without control characters.
[[nodiscard]] bool is_channel_name(std::string_view name) noexcept;

/// Whether `text` matches `pattern`, in which `*` stands for any text, also none. Linear in the
/// product of both at worst.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text) noexcept;

/// The options of channels by pattern; written before they are read.
class ChannelRules {
 public:
  /// The same pattern again replaces. A UsageError when the options contradict each other.
  void set(std::string_view pattern, const ChannelOptions& options);
  /// Lives as long as this.
  [[nodiscard]] const ChannelOptions& find(std::string_view channel) const noexcept;

 private:
  struct Rule {
    std::string pattern;
    ChannelOptions options;
    bool exact;
    std::size_t letters;
  };
  std::deque<Rule> rules_;            // addresses stay
  std::vector<const Rule*> ordered_;  // most specific first
  ChannelOptions defaults_;
};

}  // namespace squall::realtime::detail
