// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

/// Log lines of the library and, if it likes, of the program. By default they go to standard error
/// as `[I 260102 03:04:05 channel] message`, coloured on a terminal unless NO_COLOR is set.
/// <squall/log/output.hpp> sends them to files, or writes them as JSON.
namespace squall::log {

enum class Level : std::uint8_t { debug, info, warning, error, none };

/// A value that belongs to a line under a name: `user=ann` in text, a member of the object in
/// JSON. It views its text.
class Field {
 public:
  enum class Kind : std::uint8_t { text, whole, positive, real, flag };

  constexpr Field(std::string_view name, std::string_view value) noexcept
      : name_(name), kind_(Kind::text), text_(value) {}
  constexpr Field(std::string_view name, const char* value) noexcept
      : Field(name, std::string_view(value)) {}
  constexpr Field(std::string_view name, std::same_as<bool> auto value) noexcept
      : name_(name), kind_(Kind::flag), whole_(value) {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) constexpr Field(std::string_view name, T value) noexcept
      : name_(name),
        kind_(std::signed_integral<T> ? Kind::whole : Kind::positive),
        whole_(static_cast<std::int64_t>(value)) {}
  constexpr Field(std::string_view name, std::floating_point auto value) noexcept
      : name_(name), kind_(Kind::real), real_(static_cast<double>(value)) {}

  [[nodiscard]] constexpr std::string_view name() const noexcept { return name_; }
  [[nodiscard]] constexpr Kind kind() const noexcept { return kind_; }
  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }
  [[nodiscard]] constexpr std::int64_t whole() const noexcept { return whole_; }
  [[nodiscard]] constexpr std::uint64_t positive() const noexcept {
    return static_cast<std::uint64_t>(whole_);
  }
  [[nodiscard]] constexpr double real() const noexcept { return real_; }

 private:
  std::string_view name_;
  Kind kind_;
  std::string_view text_;
  union {
    std::int64_t whole_ = 0;
    double real_;
  };
};

/// One line on its way to a sink; all of it is gone when the sink returns.
struct Line {
  Level level = Level::info;
  std::string_view channel;
  std::string_view message;
  const Field* fields = nullptr;
  std::size_t field_count = 0;
  bool message_has_fields = false;  ///< as in the access log: text need not repeat them
};

/// Lines below `level` are dropped. The default is info; any thread may change it.
void set_level(Level level) noexcept;
[[nodiscard]] Level level() noexcept;
/// Whether a line of this level is written on any channel: one relaxed load.
[[nodiscard]] bool is_on(Level level) noexcept;

/// Sets the level of a channel and of those below it: "shop" counts for "shop.orders" until that
/// has a level of its own. Any thread may. Throws UsageError past limits::log_channels names.
void set_level(std::string_view channel, Level level);
[[nodiscard]] Level level(std::string_view channel) noexcept;
/// One relaxed load when the level is off everywhere; a search for the name only when channels
/// have levels of their own.
[[nodiscard]] bool is_on(Level level, std::string_view channel) noexcept;
/// Forgets the levels of all channels; that of set_level(level) stays.
void clear_channel_levels() noexcept;

/// Writes one line. Channels in use: "access" (one line a request), "server", "loop", "app".
/// Control characters and bytes that are not UTF-8 are written escaped, so that a client cannot
/// forge lines. What is longer than limits::log_line_bytes is cut off.
void write(Level level, std::string_view channel, std::string_view message,
           std::initializer_list<Field> fields = {}) noexcept;
void write(const Line& line) noexcept;

/// A channel that is asked for often: `static log::Channel& orders = log::channel("orders");`.
class Channel {
 public:
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// One relaxed load.
  [[nodiscard]] bool is_on(Level level) const noexcept {
    return level >= level_.load(std::memory_order_relaxed) && level != Level::none;
  }
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

  void write(Level level, std::string_view message,
             std::initializer_list<Field> fields = {}) const noexcept {
    if (is_on(level)) log::write(level, name_, message, fields);
  }
  void debug(std::string_view message, std::initializer_list<Field> fields = {}) const noexcept {
    write(Level::debug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<Field> fields = {}) const noexcept {
    write(Level::info, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<Field> fields = {}) const noexcept {
    write(Level::warning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<Field> fields = {}) const noexcept {
    write(Level::error, message, fields);
  }

 private:
  friend struct Levels;
  friend Level level(std::string_view name) noexcept;
  explicit Channel(std::string_view name) noexcept : name_(name) {}

  std::string_view name_;
  std::atomic<Level> level_{Level::info};
  bool has_own_ = false;
};

/// The channel of this name, made on first use; it lives as long as the process. Throws UsageError
/// past limits::log_channels names.
[[nodiscard]] Channel& channel(std::string_view name);

/// Sends lines to `sink` instead of standard error; nullptr restores the default. It is called
/// on the thread that logs, possibly on several at once, and must not throw. Fields are part of
/// the message, as ` name=value`.
using Sink = void (*)(void* context, Level level, std::string_view channel,
                      std::string_view message);
void set_sink(Sink sink, void* context) noexcept;
/// The same with the fields by themselves, and the message as it was given, unescaped.
using LineSink = void (*)(void* context, const Line& line);
void set_line_sink(LineSink sink, void* context) noexcept;

inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) noexcept {
  write(Level::debug, "app", message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) noexcept {
  write(Level::info, "app", message, fields);
}
inline void warning(std::string_view message, std::initializer_list<Field> fields = {}) noexcept {
  write(Level::warning, "app", message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) noexcept {
  write(Level::error, "app", message, fields);
}

}  // namespace squall::log
