// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/loop_core.hpp"
#include "loop/shared_file.hpp"
#include "web/file_load.hpp"

#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/task.hpp>
#include <squall/web/static_file_options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::web {

/// A directory that is served, and how. One object for each, for ever.
struct StaticSite {
  std::string root;
  std::string default_filename;
  StaticFileOptions options;

  /// This thread's object for these; costs a comparison of texts.
  static const StaticSite& find(std::string_view root, const StaticFileOptions& options);
};

/// One version of a file, or of a coding of it. Never changes, but for what is learned about it.
struct FileVersion {
  FileStamp stamp;
  std::string etag;
  std::string last_modified;  // as in the field
  bool is_small = false;
  std::string bytes;      // of a small one
  loop::SharedFile file;  // of a large one

  [[nodiscard]] std::int64_t modified() const noexcept { return stamp.modified_ns / 1'000'000'000; }
};

/// A path's file with its codings.
struct CachedFile {
  std::array<std::shared_ptr<const FileVersion>, variant_count> versions;  // the first is there
  unsigned available = 0;                                                  // a bit each
  std::string content_type;
  std::string hash;  // of the content, for versioned URLs; "" when it is not known yet
};

/// The files that a loop has open. Entries are few and bounded; a file's change is seen within its
/// site's check_interval, or at once when a large one is written in place.
class FileCache : public std::enable_shared_from_this<FileCache>,
                  private squall::detail::TimerNode {
 public:
  using MimeTypes = std::vector<std::pair<std::string, std::string>>;

  /// What is not asked for in `idle` is forgotten, so that a deleted file gives up its disk.
  FileCache(loop::LoopCore& core, const MimeTypes& mime_types,
            Duration idle = Duration::from_seconds(60));
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;
  ~FileCache();

  struct Found {
    LoadStatus status = LoadStatus::missing;
    int error = 0;
    CachedFile* file = nullptr;  // with ok; until the next call of this cache
  };
  /// Finds a file without waiting for the disk; would_wait where that cannot be, then load() it.
  Found find(const StaticSite& site, std::string_view path);
  /// Finds it on the Executor; find() has it afterwards. The result says what find() would.
  Task<Found> load(const StaticSite& site, std::string path);
  /// Finds it now, waiting if need be.
  Found find_waiting(const StaticSite& site, std::string_view path);

  /// The hash of a file's content, or "" while it is not known. It is made at once of up to 256 KiB
  /// that are in memory, a millisecond at worst; of others on the Executor, where this starts it.
  const std::string& hash_of(const StaticSite& site, std::string_view path, CachedFile& file);

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t open_files() const noexcept { return open_files_; }

 private:
  struct Key {
    const StaticSite* site;
    std::string path;
  };
  struct KeyView {
    const StaticSite* site;
    std::string_view path;
    KeyView(const StaticSite& of, std::string_view what) noexcept : site(&of), path(what) {}
    KeyView(const Key& key) noexcept : site(key.site), path(key.path) {}  // NOLINT
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const noexcept {
      return std::hash<std::string_view>()(key.path) ^ reinterpret_cast<std::uintptr_t>(key.site);
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const KeyView& left, const KeyView& right) const noexcept {
      return left.site == right.site && left.path == right.path;
    }
  };
  struct Entry : CachedFile {
    const Key* key = nullptr;
    std::uint64_t checked_ms = 0;
    std::uint64_t checked_turn = 0;
    bool hashing = false;
    Entry* newer = nullptr;  // in the order of use
    Entry* older = nullptr;
  };
  struct Root {
    UniqueFd directory;
    int error = 0;
    std::uint64_t checked_ms = 0;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };
  struct LoadedSet {
    std::array<LoadedFile, variant_count> files;
  };
  struct Known {
    std::array<FileStamp, variant_count> stamps{};
    unsigned available = 0;
  };

  static LoadedSet load_set(int root, const std::string& path, bool siblings, LoadOptions options,
                            const Known& known) noexcept;
  static LoadedSet load_elsewhere(UniqueFd root, std::string path, bool siblings,
                                  LoadOptions options, Known known);
  Task<Found> load_on_executor(const StaticSite* site, std::string path);
  static Task<> hash_elsewhere(std::weak_ptr<FileCache> cache, const StaticSite* site,
                               std::string path, UniqueFd file, FileStamp stamp);
  Root& root_of(const StaticSite& site);
  Entry* lookup(const StaticSite& site, std::string_view path) noexcept;
  [[nodiscard]] bool is_fresh(const StaticSite& site, Entry& entry) const noexcept;
  Found find(const StaticSite& site, std::string_view path, bool may_wait);
  Found store(const StaticSite& site, std::string_view path, LoadedSet loaded);
  void set_version(Entry& entry, std::size_t variant, std::shared_ptr<const FileVersion> version);
  void use(Entry& entry) noexcept;
  void unlink(Entry& entry) noexcept;
  void erase(Entry& entry) noexcept;
  void keep_limits(const Entry* except) noexcept;
  void sweep() noexcept;
  [[nodiscard]] std::string type_of(std::string_view path) const;

  loop::LoopCore& core_;
  const MimeTypes& mime_types_;
  Duration idle_;
  std::unordered_map<Key, Entry, Hash, Equal> entries_;
  std::unordered_map<const StaticSite*, Root> roots_;
  Entry* newest_ = nullptr;
  Entry* oldest_ = nullptr;
  std::size_t open_files_ = 0;
  std::size_t max_open_files_;
};

}  // namespace squall::web
