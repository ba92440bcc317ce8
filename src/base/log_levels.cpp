// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/base/log.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <string>

namespace squall::log {

/// The levels of all channels. Channels are only ever added, so that whoever logs reads them
/// without a lock.
struct Levels {
  /// The root's level, the lowest of all, and whether any channel has one of its own, in one word.
  static constexpr unsigned pack(Level root, Level lowest, bool has_channels) noexcept {
    return static_cast<unsigned>(lowest) | static_cast<unsigned>(root) << 8 |
           (has_channels ? 1U << 16 : 0U);
  }

  /// The channel of this name, or of the nearest one above it that is known.
  [[nodiscard]] const Channel* nearest(std::string_view name) const noexcept {
    const std::size_t size = count.load(std::memory_order_acquire);
    for (;;) {
      for (std::size_t i = 0; i < size; ++i) {
        if (channels[i]->name_ == name) return channels[i];
      }
      const std::size_t dot = name.rfind('.');
      if (dot == std::string_view::npos) return nullptr;
      name = name.substr(0, dot);
    }
  }

  Channel& find_or_add(std::string_view name) {
    const Channel* found = nearest(name);
    if (found != nullptr && found->name_ == name) return const_cast<Channel&>(*found);
    const std::size_t size = count.load(std::memory_order_relaxed);
    if (size == channels.size()) {
      throw UsageError("the log has " + std::to_string(size) +
                       " channels already; what differs from line to line belongs in a field");
    }
    auto* const copy = new char[name.size()];
    std::ranges::copy(name, copy);
    auto* const added = new Channel(std::string_view(copy, name.size()));
    added->level_ = found != nullptr ? found->level_.load() : root();
    channels[size] = added;
    count.store(size + 1, std::memory_order_release);
    return *added;
  }

  void set(Channel& channel, Level level) noexcept {
    channel.has_own_ = true;
    channel.level_ = level;
    refresh(root());
  }

  void clear() noexcept {
    for (std::size_t i = 0; i < count.load(); ++i) channels[i]->has_own_ = false;
    refresh(root());
  }

  /// Hands the levels down from those that have one of their own.
  void refresh(Level to_root) noexcept {
    Level lowest = to_root;
    bool has_channels = false;
    for (std::size_t i = 0; i < count.load(); ++i) {
      Channel& channel = *channels[i];
      if (!channel.has_own_) channel.level_ = inherited(channel.name_, to_root);
      lowest = std::min(lowest, channel.level_.load());
      has_channels = has_channels || channel.has_own_;
    }
    word.store(pack(to_root, lowest, has_channels), std::memory_order_relaxed);
  }

  [[nodiscard]] Level inherited(std::string_view name, Level to_root) const noexcept {
    for (std::size_t dot = name.rfind('.'); dot != std::string_view::npos; dot = name.rfind('.')) {
      name = name.substr(0, dot);
      const Channel* const above = nearest(name);
      if (above != nullptr && above->has_own_ && name.starts_with(above->name_)) {
        return above->level_.load();
      }
    }
    return to_root;
  }

  [[nodiscard]] Level root() const noexcept {
    return static_cast<Level>(word.load(std::memory_order_relaxed) >> 8 & 0xff);
  }

  std::atomic<unsigned> word{pack(Level::info, Level::info, false)};
  std::mutex mutex;  // of those who change something
  std::atomic<std::size_t> count{0};
  std::array<Channel*, limits::log_channels> channels{};
};

namespace {
constinit Levels levels;  // channels are never freed: statics may log when they are destroyed
}

void set_level(Level level) noexcept {
  const std::scoped_lock lock(levels.mutex);
  levels.refresh(level);
}

void set_level(std::string_view name, Level level) {
  const std::scoped_lock lock(levels.mutex);
  levels.set(levels.find_or_add(name), level);
}

void clear_channel_levels() noexcept {
  const std::scoped_lock lock(levels.mutex);
  levels.clear();
}

Channel& channel(std::string_view name) {
  const std::scoped_lock lock(levels.mutex);
  return levels.find_or_add(name);
}

Level level() noexcept { return levels.root(); }

Level level(std::string_view name) noexcept {
  const Channel* const found = levels.nearest(name);
  return found != nullptr ? found->level_.load(std::memory_order_relaxed) : levels.root();
}

bool is_on(Level level) noexcept {
  const unsigned word = levels.word.load(std::memory_order_relaxed);
  return static_cast<unsigned>(level) >= (word & 0xff) && level != Level::none;
}

bool is_on(Level level, std::string_view name) noexcept {
  const unsigned word = levels.word.load(std::memory_order_relaxed);
  if (static_cast<unsigned>(level) < (word & 0xff) || level == Level::none) return false;
  return (word >> 16) == 0 || level >= log::level(name);
}

}  // namespace squall::log
