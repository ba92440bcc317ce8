// SPDX-License-Identifier: Apache-2.0
#include "web/file_cache.hpp"

#include "base/logging.hpp"
#include "http/ascii.hpp"
#include "http/date.hpp"
#include "http/mime.hpp"
#include "loop/read_ahead.hpp"
#include "web/content_hash.hpp"

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/loop/executor.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <utility>

namespace squall::web {
namespace {

constexpr std::uint64_t hash_at_once_bytes = 256 * 1024;

void append_hex(std::string& text, std::uint64_t number) {
  char digits[16];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, number, 16).ptr);
}

// Two changes within a tick of the kernel's clock that leave the size alone share it; nginx lives
// with that too. The same on all machines that a file is copied to with its time.
std::string etag_of(const FileStamp& stamp, http::ContentCoding coding) {
  std::string etag("\"");
  append_hex(etag, static_cast<std::uint64_t>(stamp.modified_ns));
  etag += '-';
  append_hex(etag, stamp.size);
  if (coding != http::ContentCoding::identity) etag.append("-").append(http::to_string(coding));
  etag += '"';
  return etag;
}

std::shared_ptr<const FileVersion> make_version(LoadedFile& loaded, http::ContentCoding coding) {
  auto version = std::make_shared<FileVersion>();
  version->stamp = loaded.stamp;
  version->etag = etag_of(loaded.stamp, coding);
  // RFC 9110 §8.8.2.1: never later than the response's Date.
  const std::int64_t modified = std::min<std::int64_t>(version->modified(), ::time(nullptr));
  version->last_modified.resize(http::http_date_size);
  http::format_http_date(modified, version->last_modified.data());
  version->is_small = loaded.is_small;
  if (loaded.is_small) {
    version->bytes = std::move(loaded.bytes);
  } else {
    version->file = loop::SharedFile(std::move(loaded.file));
  }
  return version;
}

// A part of what the process may open: the loops together leave enough for connections.
std::size_t open_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 16;
  return std::clamp<std::size_t>(static_cast<std::size_t>(limit.rlim_cur) / 16, 16,
                                 limits::static_cache_files);
}

bool is_coded(std::string_view path) noexcept {
  for (std::size_t i = 1; i < variant_count; ++i) {
    if (path.ends_with(variants[i].suffix)) return true;
  }
  return false;
}

}  // namespace

const StaticSite& StaticSite::find(std::string_view root, const StaticFileOptions& options) {
  static thread_local std::vector<std::unique_ptr<StaticSite>> sites;
  for (const auto& site : sites) {
    const StaticFileOptions& known = site->options;
    if (site->root == root && site->default_filename == options.default_filename &&
        known.follow_symlinks == options.follow_symlinks && known.dot_files == options.dot_files &&
        known.precompressed == options.precompressed &&
        known.check_interval.milliseconds() == options.check_interval.milliseconds()) {
      return *site;
    }
  }
  auto made = std::make_unique<StaticSite>();
  made->root = root;
  made->default_filename = options.default_filename;
  made->options = options;
  made->options.default_filename = made->default_filename;
  sites.push_back(std::move(made));
  return *sites.back();
}

FileCache::FileCache(loop::LoopCore& core, const MimeTypes& mime_types, Duration idle)
    : TimerNode([](TimerNode& node) noexcept { static_cast<FileCache&>(node).sweep(); }),
      core_(core),
      mime_types_(mime_types),
      idle_(idle),
      max_open_files_(open_file_limit()) {}

FileCache::~FileCache() { core_.stop_timer(*this); }

void FileCache::sweep() noexcept {
  const auto idle_ms = static_cast<std::uint64_t>(idle_.milliseconds());
  while (oldest_ != nullptr && oldest_->checked_ms + idle_ms <= core_.now_ms()) erase(*oldest_);
  if (!entries_.empty()) core_.start_timer(*this, idle_);
}

/// The directory, opened once; again when another has taken its place.
FileCache::Root& FileCache::root_of(const StaticSite& site) {
  Root& root = roots_[&site];
  const std::uint64_t now = core_.now_ms();
  const auto interval = static_cast<std::uint64_t>(
      std::max<std::int64_t>(site.options.check_interval.milliseconds(), 0));
  if (root.directory && now < root.checked_ms + interval) return root;
  UniqueFd directory(::open(site.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!directory || ::fstat(directory.get(), &status) != 0) {
    root.error = errno;
    root.directory.reset();
    return root;
  }
  root.error = 0;
  root.checked_ms = now;
  if (!root.directory || root.device != status.st_dev || root.inode != status.st_ino) {
    root.directory = std::move(directory);
    root.device = status.st_dev;
    root.inode = status.st_ino;
  }
  return root;
}

FileCache::LoadedSet FileCache::load_set(int root, const std::string& path, bool siblings,
                                         LoadOptions options, const Known& known) noexcept {
  LoadedSet set;
  const auto stamp = [&](std::size_t i) -> const FileStamp* {
    return (known.available & (1U << i)) != 0 ? &known.stamps[i] : nullptr;
  };
  LoadedFile& file = set.files[0];
  file = load_file(root, path, options, stamp(0));
  if (file.status != LoadStatus::ok && file.status != LoadStatus::unchanged) return set;
  if (!siblings) return set;
  for (std::size_t i = 1; i < variant_count; ++i) {
    try {
      set.files[i] = load_file(root, path + std::string(variants[i].suffix), options, stamp(i));
    } catch (const std::bad_alloc&) {
      set.files[i].status = LoadStatus::missing;
    }
    if (set.files[i].status == LoadStatus::would_wait) {
      file.status = LoadStatus::would_wait;
      return set;
    }
  }
  return set;
}

FileCache::LoadedSet FileCache::load_elsewhere(UniqueFd root, std::string path, bool siblings,
                                               LoadOptions options, Known known) {
  return load_set(root.get(), path, siblings, options, known);
}

FileCache::Entry* FileCache::lookup(const StaticSite& site, std::string_view path) noexcept {
  const auto found = entries_.find(KeyView(site, path));
  return found != entries_.end() ? &found->second : nullptr;
}

/// Whether what is known of a file may still be served. A large one that is written in place would
/// mix two versions: its own descriptor tells, once a turn.
bool FileCache::is_fresh(const StaticSite& site, Entry& entry) const noexcept {
  const auto interval = static_cast<std::uint64_t>(
      std::max<std::int64_t>(site.options.check_interval.milliseconds(), 0));
  if (core_.now_ms() >= entry.checked_ms + interval) return false;
  if (entry.checked_turn == core_.turn()) return true;
  for (const auto& version : entry.versions) {
    struct stat status {};
    if (!version || version->is_small) continue;
    if (::fstat(version->file.get(), &status) != 0 || status.st_nlink == 0 ||
        FileStamp::of(status) != version->stamp) {
      return false;
    }
  }
  entry.checked_turn = core_.turn();
  return true;
}

FileCache::Found FileCache::find(const StaticSite& site, std::string_view path) {
  return find(site, path, false);
}

FileCache::Found FileCache::find_waiting(const StaticSite& site, std::string_view path) {
  return find(site, path, true);
}

FileCache::Found FileCache::find(const StaticSite& site, std::string_view path, bool may_wait) {
  Entry* const entry = lookup(site, path);
  if (entry != nullptr && is_fresh(site, *entry)) [[likely]] {
    use(*entry);
    return {LoadStatus::ok, 0, entry};
  }
  const Root& root = root_of(site);
  if (!root.directory) {
    log::format(log::Level::error, "app", "the directory of static files \"{}\" cannot be opened",
                site.root);
    return {root.error == ENOENT ? LoadStatus::missing : LoadStatus::failed, root.error, nullptr};
  }
  Known known;
  for (std::size_t i = 0; entry != nullptr && i < variant_count; ++i) {
    if (!entry->versions[i]) continue;
    known.stamps[i] = entry->versions[i]->stamp;
    known.available |= 1U << i;
  }
  const LoadOptions options{site.options.follow_symlinks, may_wait};
  const bool siblings = site.options.precompressed && !is_coded(path);
  const std::string name(path);
  LoadedSet loaded = load_set(root.directory.get(), name, siblings, options, known);
  if (loaded.files[0].status == LoadStatus::exhausted && !entries_.empty()) {
    while (oldest_ != nullptr) erase(*oldest_);
    loaded = load_set(root.directory.get(), name, siblings, options, {});
  }
  return store(site, path, std::move(loaded));
}

Task<FileCache::Found> FileCache::load(const StaticSite& site, std::string path) {
  return load_on_executor(&site, std::move(path));
}

Task<FileCache::Found> FileCache::load_on_executor(const StaticSite* site, std::string path) {
  const std::shared_ptr<FileCache> self = shared_from_this();
  const Root& root = root_of(*site);
  if (!root.directory) co_return find(*site, path);
  UniqueFd copy(::fcntl(root.directory.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) co_return Found{LoadStatus::exhausted, errno, nullptr};
  const LoadOptions options{site->options.follow_symlinks, true};
  const bool siblings = site->options.precompressed && !is_coded(path);
  const Known nothing;
  auto awaiter = Executor::shared().run(&FileCache::load_elsewhere, std::move(copy), path, siblings,
                                        options, nothing);
  LoadedSet loaded = co_await awaiter;
  co_return store(*site, path, std::move(loaded));
}

FileCache::Found FileCache::store(const StaticSite& site, std::string_view path, LoadedSet loaded) {
  LoadedFile& file = loaded.files[0];
  Entry* entry = lookup(site, path);
  if (file.status == LoadStatus::would_wait) return {file.status, file.error, nullptr};
  if (file.status != LoadStatus::ok && file.status != LoadStatus::unchanged) {
    if (entry != nullptr) erase(*entry);
    return {file.status, file.error, nullptr};
  }
  if (entry == nullptr) {
    const auto made = entries_.try_emplace(Key{&site, std::string(path)}).first;
    entry = &made->second;
    entry->key = &made->first;
    entry->content_type = type_of(path);
  }
  if (file.status == LoadStatus::ok &&
      (!entry->versions[0] || entry->versions[0]->stamp != file.stamp)) {
    entry->hash.clear();
    entry->hashing = false;
  }
  for (std::size_t i = 0; i < variant_count; ++i) {
    LoadedFile& found = loaded.files[i];
    if (found.status == LoadStatus::unchanged && entry->versions[i]) continue;
    if (found.status == LoadStatus::ok) {
      set_version(*entry, i, make_version(found, variants[i].coding));
    } else {
      set_version(*entry, i, nullptr);
    }
  }
  entry->available = 1;
  for (std::size_t i = 1; i < variant_count; ++i) {
    // One that is older than the file is of an earlier version of it.
    const bool good = entry->versions[i] && entry->versions[i]->stamp.modified_ns >=
                                                entry->versions[0]->stamp.modified_ns;
    if (good) entry->available |= 1U << i;
  }
  entry->checked_ms = core_.now_ms();
  entry->checked_turn = core_.turn();
  use(*entry);
  keep_limits(entry);
  if (!TimerNode::is_armed()) core_.start_timer(*this, idle_);
  return {LoadStatus::ok, 0, entry};
}

void FileCache::set_version(Entry& entry, std::size_t variant,
                            std::shared_ptr<const FileVersion> version) {
  const auto opened = [](const std::shared_ptr<const FileVersion>& of) {
    return of && !of->is_small ? std::size_t{1} : std::size_t{0};
  };
  open_files_ -= opened(entry.versions[variant]);
  entry.versions[variant] = std::move(version);
  open_files_ += opened(entry.versions[variant]);
}

void FileCache::unlink(Entry& entry) noexcept {
  if (entry.newer != nullptr) entry.newer->older = entry.older;
  if (entry.older != nullptr) entry.older->newer = entry.newer;
  if (newest_ == &entry) newest_ = entry.older;
  if (oldest_ == &entry) oldest_ = entry.newer;
  entry.newer = entry.older = nullptr;
}

void FileCache::use(Entry& entry) noexcept {
  if (newest_ == &entry) return;
  unlink(entry);
  entry.older = newest_;
  if (newest_ != nullptr) newest_->newer = &entry;
  newest_ = &entry;
  if (oldest_ == nullptr) oldest_ = &entry;
}

void FileCache::erase(Entry& entry) noexcept {
  unlink(entry);
  for (std::size_t i = 0; i < variant_count; ++i) set_version(entry, i, nullptr);
  entries_.erase(entries_.find(KeyView(*entry.key)));
}

void FileCache::keep_limits(const Entry* except) noexcept {
  while ((entries_.size() > limits::static_cache_files || open_files_ > max_open_files_) &&
         oldest_ != except) {
    erase(*oldest_);
  }
}

std::string FileCache::type_of(std::string_view path) const {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos && dot != 0) {
    for (const auto& [extension, type] : mime_types_) {
      if (http::ascii::equal(name.substr(dot + 1), extension)) return type;
    }
  }
  return std::string(http::mime_type(path));
}

const std::string& FileCache::hash_of(const StaticSite& site, std::string_view path,
                                      CachedFile& file) {
  auto& entry = static_cast<Entry&>(file);
  if (!entry.hash.empty() || entry.hashing) return entry.hash;
  const FileVersion& version = *entry.versions[0];
  if (version.is_small) {
    ContentHash hash;
    hash.update(version.bytes);
    entry.hash = hash.hex();
    return entry.hash;
  }
  UniqueFd copy(::fcntl(version.file.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return entry.hash;
  const std::uint64_t size = version.stamp.size;
  if (size <= hash_at_once_bytes && loop::resident_bytes(copy.get(), 0, size) == size) {
    entry.hash = hash_file(std::move(copy), version.stamp);
    return entry.hash;
  }
  entry.hashing = true;
  ContentHash::prepare();
  core_.spawn(
      hash_elsewhere(weak_from_this(), &site, std::string(path), std::move(copy), version.stamp));
  return entry.hash;
}

Task<> FileCache::hash_elsewhere(std::weak_ptr<FileCache> cache, const StaticSite* site,
                                 std::string path, UniqueFd file, FileStamp stamp) {
  std::string hash;
  try {
    auto awaiter = Executor::shared().run(&hash_file, std::move(file), stamp);
    hash = co_await awaiter;
  } catch (const CancelledError&) {
    throw;
  } catch (const Error&) {  // the executor is full; it is tried again when the URL is asked for
  }
  const std::shared_ptr<FileCache> self = cache.lock();
  if (!self) co_return;
  Entry* const entry = self->lookup(*site, path);
  if (entry == nullptr || !entry->versions[0] || entry->versions[0]->stamp != stamp) co_return;
  entry->hashing = false;
  entry->hash = std::move(hash);
}

}  // namespace squall::web
