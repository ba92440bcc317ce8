// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "incoming_file.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>

/// How far an upload has come, as the server sees it.
struct Progress {
  std::uint64_t received = 0;  // bytes that have come of its files
  std::uint64_t written = 0;   // bytes that are on the disk
};

/// What is under way, by the names that pages give their uploads, and what was kept last. One
/// loop: nothing else touches it.
class Uploads {
 public:
  /// nullptr when an upload of that name is under way.
  Progress* begin(const std::string& id) {
    const auto [place, is_new] = under_way_.try_emplace(id);
    return is_new ? &place->second : nullptr;
  }
  void end(const std::string& id) { under_way_.erase(id); }
  [[nodiscard]] const Progress* find(const std::string& id) const {
    const auto found = under_way_.find(id);
    return found != under_way_.end() ? &found->second : nullptr;
  }

  void add(KeptFile file) {
    kept_.push_front(std::move(file));
    if (kept_.size() > max_listed) kept_.pop_back();
  }
  /// The newest first.
  [[nodiscard]] const std::deque<KeptFile>& kept() const noexcept { return kept_; }

 private:
  static constexpr std::size_t max_listed = 100;

  std::map<std::string, Progress> under_way_;  // no more than there are connections
  std::deque<KeptFile> kept_;
};
