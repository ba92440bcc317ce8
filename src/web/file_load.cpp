// SPDX-License-Identifier: Apache-2.0
#include "web/file_load.hpp"

#include "web/content_hash.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/openat2.h>
#include <memory>
#include <new>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace squall::web {
namespace {

constexpr int attempts = 8;  // against others who rename and write at the same moment

std::int64_t nanoseconds(const timespec& time) noexcept {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

UniqueFd open_below(int root, const std::string& path, int flags, LoadOptions options) noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_NO_MAGICLINKS;
  // The kernel refuses what leaves the root, wherever links and dots lead.
  if (!options.follow_symlinks) how.resolve |= RESOLVE_BENEATH;
  if (!options.may_wait) how.resolve |= RESOLVE_CACHED;
  for (int attempt = 0;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno == EINTR) continue;
    // EAGAIN is also a rename that RESOLVE_BENEATH met on its way.
    if (errno != EAGAIN || !options.may_wait || attempt == attempts) return {};
  }
}

LoadedFile failure(int error, LoadOptions options) noexcept {
  LoadedFile result;
  result.error = error;
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV:  // it leads out of the root
      result.status = LoadStatus::missing;
      break;
    case EACCES:
      result.status = LoadStatus::denied;
      break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      result.status = LoadStatus::exhausted;
      break;
    case EINVAL:  // a kernel before RESOLVE_CACHED
    case EAGAIN:
      result.status = options.may_wait ? LoadStatus::failed : LoadStatus::would_wait;
      break;
    default:
      result.status = LoadStatus::failed;
  }
  return result;
}

ssize_t read_at(int file, char* out, std::size_t size, off_t offset, int flags) noexcept {
  iovec part{out, size};
  ssize_t got;
  do {
    got = ::preadv2(file, &part, 1, offset, flags);
  } while (got < 0 && errno == EINTR);
  return got;
}

/// All bytes of a small file; false, with errno, when they cannot be had. Short when it shrinks.
bool read_whole(int file, std::size_t size, bool may_wait, std::string& out) {
  out.resize(size);
  int flags = may_wait ? 0 : RWF_NOWAIT;
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got =
        read_at(file, out.data() + filled, size - filled, static_cast<off_t>(filled), flags);
    if (got < 0 && errno == EOPNOTSUPP && flags != 0) {
      flags = 0;  // such file systems are memory, most of them
      continue;
    }
    if (got < 0) return false;
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  out.resize(filled);
  return true;
}

/// With its bytes if it is small; again when it is being written meanwhile.
LoadedFile take(UniqueFd file, LoadOptions options) {
  LoadedFile result;
  for (int attempt = 0;; ++attempt) {
    struct stat before {};
    if (::fstat(file.get(), &before) != 0) return failure(errno, options);
    if (!S_ISREG(before.st_mode)) return result;
    result.status = LoadStatus::ok;
    result.stamp = FileStamp::of(before);
    // One that never holds still is sent as it is, like a large one.
    if (result.stamp.size > small_file_bytes || attempt == attempts) break;
    if (!read_whole(file.get(), static_cast<std::size_t>(result.stamp.size), options.may_wait,
                    result.bytes)) {
      return failure(errno, options);
    }
    struct stat after {};
    if (::fstat(file.get(), &after) != 0) return failure(errno, options);
    if (FileStamp::of(after) == result.stamp && result.bytes.size() == result.stamp.size) {
      result.is_small = true;
      return result;
    }
  }
  result.bytes.clear();
  result.file = std::move(file);
  return result;
}

}  // namespace

FileStamp FileStamp::of(const struct stat& status) noexcept {
  FileStamp stamp;
  stamp.device = status.st_dev;
  stamp.inode = status.st_ino;
  stamp.size = static_cast<std::uint64_t>(status.st_size);
  stamp.modified_ns = nanoseconds(status.st_mtim);
  stamp.changed_ns = nanoseconds(status.st_ctim);
  return stamp;
}

LoadedFile load_file(int root, const std::string& path, LoadOptions options,
                     const FileStamp* known) noexcept try {
  // Looked at before it is opened: opening a FIFO wakes who writes to it, and a device does as it
  // likes.
  {
    const UniqueFd place = open_below(root, path, O_PATH, options);
    struct stat status {};
    if (!place || ::fstat(place.get(), &status) != 0) return failure(errno, options);
    LoadedFile result;
    if (S_ISDIR(status.st_mode)) result.status = LoadStatus::directory;
    if (!S_ISREG(status.st_mode)) return result;
    if (known != nullptr && FileStamp::of(status) == *known) {
      result.status = LoadStatus::unchanged;
      return result;
    }
  }
  // O_NONBLOCK: should a FIFO have taken its place just now.
  UniqueFd file = open_below(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, options);
  if (!file) return failure(errno, options);
  return take(std::move(file), options);
} catch (const std::bad_alloc&) {
  return failure(ENOMEM, options);
}

std::string hash_file(UniqueFd file, FileStamp expected) {
  constexpr std::size_t piece = 64 * 1024;
  const std::unique_ptr<char[]> buffer(new char[piece]);
  ContentHash hash;
  off_t offset = 0;
  for (;;) {
    const ssize_t got = read_at(file.get(), buffer.get(), piece, offset, 0);
    if (got < 0) return {};
    if (got == 0) break;
    hash.update({buffer.get(), static_cast<std::size_t>(got)});
    offset += got;
  }
  struct stat after {};
  if (::fstat(file.get(), &after) != 0 || FileStamp::of(after) != expected) return {};
  return hash.hex();
}

}  // namespace squall::web
