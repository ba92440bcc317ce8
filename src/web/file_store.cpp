// SPDX-License-Identifier: Apache-2.0
#include "base/hex.hpp"
#include "base/logging.hpp"
#include "base/secrets.hpp"
#include "web/pieces.hpp"
#include "web/store.hpp"

#include <squall/base/error.hpp>
#include <squall/loop/executor.hpp>
#include <squall/loop/unique_fd.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace squall::web {
namespace {

constexpr std::size_t name_size = 64;  // SHA-256 of the key: a key says nothing to the file system
constexpr std::string_view temporary_prefix = ".new-";
constexpr std::int64_t sweep_interval_ms = 10 * 60'000;
constexpr std::int64_t full_sweep_interval_ms = 10'000;  // when there seems to be no room
constexpr std::int64_t left_behind_ms = 60 * 60'000;     // a temporary file of a process that died
constexpr std::size_t max_file_bytes = limits::store_value_bytes + 64 * 1024;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string file_name(std::string_view key) {
  std::string name;
  append_hex(name, sha256(key));
  return name;
}

bool is_file_name(std::string_view name) noexcept {
  return name.size() == name_size &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::int64_t milliseconds(const timespec& time) noexcept {
  return static_cast<std::int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

struct DirectoryCloser {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

/// The directory, on the threads that work in it.
struct Folder {
  Folder(std::string_view where, const FileStoreOptions& from) : options(from), directory(where) {
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) fail("FileStore " + directory);
    struct stat status;
    folder.reset(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fstat(folder.get(), &status) != 0) fail("FileStore " + directory);
    if (status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
      throw UsageError("FileStore: the directory " + directory +
                       " is another user's, or others may look into it: chmod 700");
    }
  }

  OptionalString read(const std::string& name, const std::string& key) const {
    UniqueFd file(::openat(folder.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) {
      if (errno == ENOENT) return {};
      fail("FileStore " + directory);
    }
    std::string text;
    char buffer[16 * 1024];
    for (;;) {
      const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("FileStore " + directory);
      if (got == 0) break;
      text.append(buffer, static_cast<std::size_t>(got));
      if (text.size() > max_file_bytes) break;
    }
    std::string_view rest = text;
    std::int64_t end = 0;
    std::string_view kept_key;
    std::string_view value;
    if (!take_number_piece(rest, end) || !take_piece(rest, kept_key) || !take_piece(rest, value) ||
        !rest.empty() || kept_key != key) {
      log::format(log::Level::error, "app", "FileStore: {}/{} is no entry; it is not read",
                  directory, name);
      return {};
    }
    if (end <= store_now(options.clock)) return {};
    return value;
  }

  [[nodiscard]] bool exists(const std::string& name) const noexcept {
    return ::faccessat(folder.get(), name.c_str(), F_OK, 0) == 0;
  }

  void write(const std::string& name, const std::string& temporary, std::string_view text,
             std::int64_t end_ms) {
    // Until it is renamed, nobody reads it: what the disk cannot take leaves the old one whole.
    UniqueFd file(::openat(folder.get(), temporary.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) fail("FileStore " + directory);
    bool done = true;
    while (done && !text.empty()) {
      const ssize_t wrote = ::write(file.get(), text.data(), text.size());
      if (wrote > 0) text.remove_prefix(static_cast<std::size_t>(wrote));
      done = wrote >= 0 || errno == EINTR;
    }
    // The file's time is its end, so that a sweep need not read it.
    const timespec times[2] = {{0, UTIME_OMIT}, {end_ms / 1000, end_ms % 1000 * 1'000'000}};
    done = done && ::futimens(file.get(), times) == 0;
    const bool is_new = !exists(name);
    done = done && ::renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()) == 0;
    if (!done) {
      const int error = errno;
      ::unlinkat(folder.get(), temporary.c_str(), 0);
      errno = error;
      fail("FileStore " + directory);
    }
    if (is_new) files.fetch_add(1, std::memory_order_relaxed);
  }

  void remove(const std::string& name) {
    if (::unlinkat(folder.get(), name.c_str(), 0) == 0) {
      files.fetch_sub(1, std::memory_order_relaxed);
    } else if (errno != ENOENT) {
      fail("FileStore " + directory);
    }
  }

  void sweep() {
    const std::int64_t now = store_now(options.clock);
    swept_at.store(now, std::memory_order_relaxed);
    const int listed = ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, DirectoryCloser> entries(listed >= 0 ? ::fdopendir(listed)
                                                                    : nullptr);
    if (!entries) fail("FileStore " + directory);
    std::size_t left = 0;
    while (const dirent* const entry = ::readdir(entries.get())) {
      const std::string_view name = entry->d_name;
      const bool is_temporary = name.starts_with(temporary_prefix);
      if (!is_temporary && !is_file_name(name)) continue;
      struct stat status;
      if (::fstatat(folder.get(), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      const bool is_over = is_temporary ? milliseconds(status.st_ctim) < now - left_behind_ms
                                        : milliseconds(status.st_mtim) <= now;
      if (is_over) {
        ::unlinkat(folder.get(), entry->d_name, 0);
      } else if (!is_temporary) {
        ++left;
      }
    }
    files.store(left, std::memory_order_relaxed);
  }

  // Before an entry is written: removes old ones at times, and counts.
  void keep_house(const std::string& name) {
    const std::int64_t since = store_now(options.clock) - swept_at.load(std::memory_order_relaxed);
    const bool is_full = files.load(std::memory_order_relaxed) >= options.max_entries;
    if (since >= sweep_interval_ms || since < 0 || (is_full && since >= full_sweep_interval_ms)) {
      sweep();
    }
    if (files.load(std::memory_order_relaxed) >= options.max_entries && !exists(name)) {
      throw Error("FileStore " + directory + " is full: it has " +
                  std::to_string(options.max_entries) +
                  " entries, see FileStoreOptions::max_entries");
    }
  }

  const FileStoreOptions options;
  const std::string directory;
  UniqueFd folder;
  std::atomic<std::size_t> files{0};
  std::atomic<std::int64_t> swept_at{-sweep_interval_ms};
};
using FolderPtr = std::shared_ptr<Folder>;

}  // namespace

struct FileStore::Impl {
  FolderPtr folder;  // shared with work that goes on when the store has gone
};

FileStore::FileStore(std::string_view directory, const FileStoreOptions& options)
    : impl_(new Impl{std::make_shared<Folder>(directory, options)}) {}
FileStore::~FileStore() { delete impl_; }

Task<OptionalString> FileStore::get(std::string key) {
  const auto read = [](const FolderPtr& folder, const std::string& name, const std::string& of) {
    return folder->read(name, of);
  };
  std::string name = file_name(key);
  co_return co_await run_in_executor(read, impl_->folder, std::move(name), std::move(key));
}

Task<> FileStore::set(std::string key, std::string value, Duration time_to_live) {
  const std::int64_t end =
      check_entry(value, time_to_live, store_now(impl_->folder->options.clock));
  std::string text;
  append_piece(text, std::to_string(end));
  append_piece(text, key);
  append_piece(text, value);
  std::string name = file_name(key);
  std::string temporary(temporary_prefix);
  append_hex(temporary, random_bytes(16));
  const auto write = [](const FolderPtr& folder, const std::string& to, const std::string& by,
                        const std::string& bytes, std::int64_t until) {
    folder->keep_house(to);
    folder->write(to, by, bytes, until);
  };
  co_await run_in_executor(write, impl_->folder, std::move(name), std::move(temporary),
                           std::move(text), end);
}

Task<> FileStore::erase(std::string key) {
  const auto remove = [](const FolderPtr& folder, const std::string& name) {
    folder->remove(name);
  };
  std::string name = file_name(key);
  co_await run_in_executor(remove, impl_->folder, std::move(name));
}

Task<> FileStore::sweep() {
  const auto sweep = [](const FolderPtr& folder) { folder->sweep(); };
  co_await run_in_executor(sweep, impl_->folder);
}

}  // namespace squall::web
