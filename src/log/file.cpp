// SPDX-License-Identifier: Apache-2.0
#include "log/file.hpp"

#include "base/ascii.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace squall::log {
namespace {

constexpr std::time_t look_seconds = 1;
constexpr std::time_t complain_seconds = 60;

std::uint64_t line_count(std::string_view lines) {
  return static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
}

/// Of those that begin with `prefix` and a digit, all but the last `kept` in the order of names.
void remove_old(const std::filesystem::path& path, unsigned kept) {
  namespace fs = std::filesystem;
  const std::string prefix = path.filename().string() + ".";
  std::vector<fs::path> old;
  std::error_code error;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    // A date of four digits: FILE.1 is of a rotation by size.
    if (name.size() > prefix.size() + 4 && name.starts_with(prefix) &&
        std::all_of(name.begin() + static_cast<std::ptrdiff_t>(prefix.size()),
                    name.begin() + static_cast<std::ptrdiff_t>(prefix.size()) + 4,
                    ascii::is_digit)) {
      old.push_back(at->path());
    }
  }
  std::ranges::sort(old);
  for (std::size_t i = 0; i + kept < old.size(); ++i) fs::remove(old[i], error);
}

}  // namespace

LogFile::LogFile(const OutputOptions& options, std::time_t now)
    : path_(options.file),
      rotation_(options.rotation),
      max_bytes_(options.max_file_bytes),
      backups_(options.backups) {
  if (rotation_ == Rotation::by_time) {
    schedule_.emplace(options.rotate_when, options.rotate_interval);
  }
  if (rotation_ == Rotation::by_size && max_bytes_ == 0) {
    throw UsageError("a log cannot rotate at a size of 0; Rotation::never does not rotate");
  }
  if (!open(now)) {
    throw std::system_error(errno, std::generic_category(), "cannot open the log " + path_);
  }
}

LogFile::~LogFile() { close(); }

bool LogFile::open(std::time_t now) {
  close();
  fd_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) return false;
  struct stat status {};
  ::fstat(fd_, &status);
  device_ = status.st_dev;
  inode_ = status.st_ino;
  size_ = static_cast<std::uint64_t>(status.st_size);
  looked_at_ = now;
  must_reopen_ = is_torn_ = false;
  // A file that goes on is put aside when its own time is over.
  if (schedule_) rotate_at_ = schedule_->next(size_ == 0 ? now : status.st_mtime);
  return true;
}

void LogFile::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool LogFile::is_elsewhere() const noexcept {
  struct stat status {};
  return ::stat(path_.c_str(), &status) != 0 || status.st_ino != inode_ || status.st_dev != device_;
}

std::uint64_t LogFile::write(std::string_view lines, std::time_t now) {
  const bool looks = now - looked_at_ >= look_seconds || now < looked_at_;
  if (looks) looked_at_ = now;
  if (fd_ < 0 || must_reopen_ || (looks && is_elsewhere())) {
    if (!open(now)) {
      complain("cannot open the log", errno, now);
      return line_count(lines);
    }
  }
  if (rotation_ == Rotation::by_time && now >= rotate_at_ && now >= retry_at_) rotate(now);
  if (rotation_ != Rotation::by_size) return append(lines, now);

  // Others may have written to it.
  struct stat status {};
  if (::fstat(fd_, &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
  std::uint64_t lost = 0;
  while (!lines.empty()) {
    const std::uint64_t room = max_bytes_ - std::min(size_, max_bytes_);
    std::size_t take = lines.size();
    if (take > room && now >= retry_at_) {
      const std::size_t last = room == 0 ? std::string_view::npos : lines.rfind('\n', room - 1);
      take = last == std::string_view::npos ? 0 : last + 1;
      if (take == 0 && size_ != 0) {
        rotate(now);
        if (fd_ < 0) return lost + line_count(lines);
        continue;
      }
      if (take == 0) take = lines.find('\n') + 1;  // longer than a file may be: one to itself
    }
    lost += append(lines.substr(0, take), now);
    lines.remove_prefix(take);
  }
  return lost;
}

std::uint64_t LogFile::append(std::string_view lines, std::time_t now) {
  if (fd_ < 0) return line_count(lines);
  if (is_torn_) {
    if (::write(fd_, "\n", 1) != 1) return line_count(lines);
    is_torn_ = false;
    ++size_;
  }
  while (!lines.empty()) {
    const ssize_t written = ::write(fd_, lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      complain("cannot write the log", written < 0 ? errno : EIO, now);
      return line_count(lines);
    }
    size_ += static_cast<std::uint64_t>(written);
    is_torn_ = lines[static_cast<std::size_t>(written) - 1] != '\n';
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

void LogFile::rotate(std::time_t now) {
  // The lock is on the file that is open, which all who would put it aside have in common: the
  // second one finds that the path leads elsewhere.
  while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
  }
  if (!is_elsewhere()) {
    errno = 0;
    if (rotation_ == Rotation::by_size) {
      shift_numbered();
    } else {
      move_dated();
    }
    if (!is_elsewhere()) {
      complain("cannot put the log aside", errno, now);
      retry_at_ = now + complain_seconds;
      ::flock(fd_, LOCK_UN);
      return;
    }
  }
  if (!open(now)) complain("cannot open the log", errno, now);
}

void LogFile::shift_numbered() {
  if (backups_ == 0) {
    ::unlink(path_.c_str());
    return;
  }
  const auto numbered = [this](unsigned n) { return path_ + "." + std::to_string(n); };
  for (unsigned n = backups_; n > 1; --n) {
    std::rename(numbered(n - 1).c_str(), numbered(n).c_str());
  }
  std::rename(path_.c_str(), numbered(1).c_str());
}

void LogFile::move_dated() {
  if (backups_ == 0) {
    ::unlink(path_.c_str());
    return;
  }
  const std::string wanted = path_ + "." + schedule_->suffix(rotate_at_);
  std::string name = wanted;
  // Two of the same day, after a restart or a change of the clock: neither is lost.
  for (unsigned n = 2; ::access(name.c_str(), F_OK) == 0 && n < 1000; ++n) {
    name = wanted + "." + std::to_string(n);
  }
  if (std::rename(path_.c_str(), name.c_str()) == 0) remove_old(path_, backups_);
}

void LogFile::complain(const char* what, int error, std::time_t now) {
  if (complained_ != 0 && now - complained_ < complain_seconds) return;
  complained_ = now;
  std::fprintf(stderr, "squall: %s %s: %s\n", what, path_.c_str(), std::strerror(error));
}

}  // namespace squall::log
