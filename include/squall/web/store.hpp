// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/limits.hpp>
#include <squall/base/optional_string.hpp>
#include <squall/coro/task.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace squall::web {

/// Texts under keys, each for a time: where sessions are kept. Derive from it for a store of your
/// own. All members may be called on any loop's thread, at the same time.
class Store {
 public:
  Store() noexcept = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store();

  /// The text under `key`; nothing when there is none or its time is over.
  [[nodiscard]] virtual Task<OptionalString> get(std::string key) = 0;
  /// Keeps a text for `time_to_live`, in place of what is there. UsageError when that is not above
  /// zero, or the text is longer than limits::store_value_bytes.
  [[nodiscard]] virtual Task<> set(std::string key, std::string value, Duration time_to_live) = 0;
  /// Does nothing when there is nothing.
  [[nodiscard]] virtual Task<> erase(std::string key) = 0;
};

/// Milliseconds since 1970, for tests that do not wait.
using StoreClock = std::int64_t (*)();

struct MemoryStoreOptions {
  std::size_t max_entries = limits::store_entries;
  std::size_t max_bytes = limits::store_bytes;  ///< keys, values, and 256 bytes an entry
  StoreClock clock = nullptr;                   ///< nullptr is the system's
};
static_assert(std::is_trivially_destructible_v<MemoryStoreOptions>);

/// A store in the process's memory: for one process, and gone with it. When it is full, what was
/// not used for longest makes room, and the log says so.
class MemoryStore final : public Store {
 public:
  explicit MemoryStore(const MemoryStoreOptions& options = {});
  ~MemoryStore() override;

  Task<OptionalString> get(std::string key) override;
  Task<> set(std::string key, std::string value, Duration time_to_live) override;
  Task<> erase(std::string key) override;

  /// Entries that are there, also some whose time is over.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Impl;
  Impl* impl_;
};

struct FileStoreOptions {
  std::size_t max_entries = limits::store_files;  ///< one more is refused with Error
  StoreClock clock = nullptr;                     ///< nullptr is the system's
};
static_assert(std::is_trivially_destructible_v<FileStoreOptions>);

/// A store of one file an entry in a directory, which processes may share and which outlives them.
/// Threads of the executor do the work. A file is replaced as a whole: nobody reads half of one.
/// After a power failure entries may be missing. What the disk refuses is a std::system_error.
class FileStore final : public Store {
 public:
  /// Makes the directory if need be, for this user only; a UsageError when others may look into it
  /// or it is another user's.
  explicit FileStore(std::string_view directory, const FileStoreOptions& options = {});
  ~FileStore() override;

  Task<OptionalString> get(std::string key) override;
  Task<> set(std::string key, std::string value, Duration time_to_live) override;
  Task<> erase(std::string key) override;
  /// Removes the files whose time is over; set() does so by itself every ten minutes.
  [[nodiscard]] Task<> sweep();

 private:
  struct Impl;
  Impl* impl_;
};

}  // namespace squall::web
