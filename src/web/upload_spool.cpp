// SPDX-License-Identifier: Apache-2.0
#include "web/upload_spool.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace squall::web {
namespace {

constexpr unsigned file_mode = 0666;  // less what the umask takes away

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

std::error_code write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return last_error();
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::error_code copy_all(int from, int to) {
  struct stat status {};
  if (::fstat(from, &status) != 0) return last_error();
  loff_t at = 0;
  while (at < status.st_size) {
    const auto left = static_cast<std::size_t>(status.st_size - at);
    const ssize_t copied = ::copy_file_range(from, &at, to, nullptr, left, 0);
    if (copied > 0) continue;
    if (copied == 0) return {EIO, std::generic_category()};
    if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
      return last_error();
    }
    break;
  }
  std::string room(256 * 1024, '\0');
  while (at < status.st_size) {
    const ssize_t got = ::pread(from, room.data(), room.size(), at);
    if (got < 0) return last_error();
    if (got == 0) return {EIO, std::generic_category()};
    const auto size = static_cast<std::size_t>(got);
    if (const auto error = write_all(to, std::string_view(room).substr(0, size))) return error;
    at += got;
  }
  return {};
}

/// A name beside `path` that nobody else of this process has.
std::string beside(const std::string& path) {
  static std::atomic<unsigned> count{0};
  return path + "." + std::to_string(::getpid()) + "-" +
         std::to_string(count.fetch_add(1, std::memory_order_relaxed)) + ".part";
}

std::error_code put_in_place(const std::string& temporary, const std::string& path) {
  if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
  const std::error_code error = last_error();
  ::unlink(temporary.c_str());
  return error;
}

/// Fills a new file with what `fill(fd)` writes, and gives it its name when it is whole.
template <class Fill>
std::error_code make_file(const std::string& path, Fill fill) {
  const std::string temporary = beside(path);
  UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file_mode));
  if (!file) return last_error();
  std::error_code error = fill(file.get());
  if (!error && ::close(file.release()) != 0)
    error = last_error();  // NFS tells of its failures here
  if (!error) return put_in_place(temporary, path);
  ::unlink(temporary.c_str());
  return error;
}

}  // namespace

std::error_code UploadSpool::open() noexcept {
  if (directory_.empty()) {
    const char* const temporary = ::secure_getenv("TMPDIR");
    directory_ = temporary != nullptr && *temporary != '\0' ? temporary : "/tmp";
  }
  file_.reset(::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, file_mode));
  if (file_) return {};
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return last_error();
  std::string name = directory_ + "/squall-upload-XXXXXX";
  file_.reset(::mkostemp(name.data(), O_CLOEXEC));
  if (!file_) return last_error();
  ::unlink(name.c_str());
  return {};
}

std::error_code UploadSpool::append(std::string_view bytes) noexcept {
  if (!file_) {
    if (const auto error = open()) return error;
  }
  return write_all(file_.get(), bytes);
}

Result<std::string> UploadSpool::read(std::uint64_t offset, std::size_t bytes) const {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return last_error();
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (offset >= size) return std::string();
  std::string out(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, size - offset)), '\0');
  std::size_t at = 0;
  while (at != out.size()) {
    const ssize_t got =
        ::pread(file_.get(), out.data() + at, out.size() - at, static_cast<off_t>(offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error();
    if (got == 0) return std::error_code(EIO, std::generic_category());
    at += static_cast<std::size_t>(got);
  }
  return out;
}

std::error_code UploadSpool::save(const std::string& path) const {
  // On the same file system the file only needs a name; one of mkostemp() cannot get one back.
  const std::string temporary = beside(path);
  const std::string own = "/proc/self/fd/" + std::to_string(file_.get());
  if (::linkat(AT_FDCWD, own.c_str(), AT_FDCWD, temporary.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return put_in_place(temporary, path);
  }
  return make_file(path, [this](int to) { return copy_all(file_.get(), to); });
}

std::error_code save_bytes(std::string_view bytes, const std::string& path) {
  return make_file(path, [bytes](int to) { return write_all(to, bytes); });
}

}  // namespace squall::web
