// SPDX-License-Identifier: Apache-2.0
#include "realtime/channel_rules.hpp"

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>

#include <algorithm>

namespace squall::realtime::detail {
namespace {

void check(std::string_view pattern, const ChannelOptions& options) {
  const auto refuse = [pattern](const char* why) {
    throw UsageError("the options of channels '" + std::string(pattern) + "': " + why);
  };
  if (pattern.empty() || pattern.size() > limits::channel_name_bytes) {
    refuse("a pattern has 1 to 255 bytes");
  }
  if (options.recovery == RecoveryMode::latest && options.history_size == 0) {
    refuse("RecoveryMode::latest hands over the newest publication, so keep it: history_size = 1");
  }
  if (options.history_size > 0 &&
      (options.history_ttl <= Duration() || options.history_bytes == 0)) {
    refuse("a history needs a history_ttl and history_bytes above zero");
  }
  if (options.join_leave && !options.presence) {
    refuse("join_leave tells of the members that presence keeps: set both");
  }
  if (options.max_publication_bytes == 0) refuse("max_publication_bytes is zero");
}

}  // namespace

bool is_channel_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= limits::channel_name_bytes &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool matches(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

void ChannelRules::set(std::string_view pattern, const ChannelOptions& options) {
  check(pattern, options);
  for (Rule& rule : rules_) {
    if (rule.pattern != pattern) continue;
    rule.options = options;
    return;
  }
  if (rules_.size() >= limits::hub_patterns) {
    throw UsageError("a hub takes at most 1,000 patterns: let one stand for many channels");
  }
  const auto stars = static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*'));
  rules_.push_back(Rule{std::string(pattern), options, stars == 0, pattern.size() - stars});
  ordered_.insert(std::find_if(ordered_.begin(), ordered_.end(),
                               [&added = rules_.back()](const Rule* rule) {
                                 if (rule->exact != added.exact) return added.exact;
                                 return rule->letters <= added.letters;
                               }),
                  &rules_.back());
}

const ChannelOptions& ChannelRules::find(std::string_view channel) const noexcept {
  for (const Rule* const rule : ordered_) {
    if (rule->exact ? rule->pattern == channel : matches(rule->pattern, channel)) {
      return rule->options;
    }
  }
  return defaults_;
}

}  // namespace squall::realtime::detail
