// SPDX-License-Identifier: Apache-2.0
#include "tools/folder_watch.hpp"

#include "base/logging.hpp"

#include <squall/base/limits.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <dirent.h>
#include <memory>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace squall::tools {
namespace {

// An editor writes several files, a tool that switches branches hundreds.
constexpr auto quiet_time = Duration::from_milliseconds(100);

constexpr std::uint32_t events =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR;

constexpr std::string_view sources[] = {"c",    "cc",  "cpp", "cxx", "c++",   "h",    "hh",
                                        "hpp",  "hxx", "h++", "inc", "inl",   "ipp",  "tpp",
                                        "cppm", "ixx", "S",   "in",  "cmake", "proto"};
constexpr std::string_view read_once[] = {"html", "htm", "tmpl", "mo",   "csv", "conf",
                                          "cfg",  "ini", "toml", "yaml", "yml", "sql"};
constexpr std::string_view read_always[] = {"css",   "js",  "mjs",  "svg",        "png", "jpg",
                                            "jpeg",  "gif", "webp", "avif",       "ico", "woff",
                                            "woff2", "ttf", "map",  "webmanifest"};

template <std::size_t N>
bool lists(const std::string_view (&list)[N], std::string_view word) noexcept {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

bool is_folder(const std::string& path, const dirent& entry) noexcept {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
  struct stat what {};
  return ::lstat(path.c_str(), &what) == 0 && S_ISDIR(what.st_mode);
}

}  // namespace

Change change_of(std::string_view file_name) noexcept {
  // Hidden: among them the locks and swap files of editors, .#x.cpp and .x.cpp.swp.
  if (file_name.empty() || file_name.front() == '.') return Change::none;
  if (file_name == "CMakeLists.txt" || file_name == "CMakePresets.json" ||
      file_name == "CMakeUserPresets.json" || file_name == "Makefile") {
    return Change::source;
  }
  const std::size_t dot = file_name.rfind('.');
  if (dot == std::string_view::npos) return Change::none;
  const std::string_view extension = file_name.substr(dot + 1);
  return lists(sources, extension)       ? Change::source
         : lists(read_once, extension)   ? Change::restart
         : lists(read_always, extension) ? Change::page
                                         : Change::none;
}

bool is_source_folder(std::string_view name) noexcept {
  return !name.empty() && name.front() != '.' && name != "node_modules" && name != "__pycache__" &&
         name != "build" && !name.starts_with("build-") && !name.starts_with("cmake-build-");
}

FolderWatch::FolderWatch(const std::vector<std::string>& paths, std::function<void(Change)> changed)
    : loop_(IOLoop::current()), changed_(std::move(changed)) {
  inotify_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify_) {
    throw std::system_error(errno, std::generic_category(),
                            "cannot watch folders (fs.inotify.max_user_instances)");
  }
  for (const std::string& path : paths) {
    struct stat what {};
    if (::stat(path.c_str(), &what) != 0) {
      throw std::system_error(errno, std::generic_category(), "cannot watch \"" + path + "\"");
    }
    if (!S_ISDIR(what.st_mode)) {
      throw std::system_error(ENOTDIR, std::generic_category(), "cannot watch \"" + path + "\"");
    }
    add(path, false);
  }
  loop_.add_handler(
      inotify_.get(), [this](int, unsigned) { read(); }, IOLoop::readable);
}

FolderWatch::~FolderWatch() {
  loop_.remove_timeout(quiet_);
  if (inotify_) loop_.remove_handler(inotify_.get());
}

// Watched before it is read, so that nothing is missed between the two.
void FolderWatch::add(const std::string& folder, bool is_new) {
  if (folders_.size() >= limits::watched_folders || is_full_) {
    if (!std::exchange(is_full_, true)) {
      log::format(log::Level::warning, "run", "{} folders are watched; \"{}\" and others are not",
                  folders_.size(), folder);
    }
    return;
  }
  const int number = ::inotify_add_watch(inotify_.get(), folder.c_str(), events);
  if (number < 0) {
    if (errno == ENOSPC) {
      is_full_ = true;
      log::format(log::Level::warning, "run",
                  "{} folders are watched; \"{}\" and others are not, for "
                  "fs.inotify.max_user_watches is reached",
                  folders_.size(), folder);
    }
    return;  // else it is gone again, or not for us to read
  }
  folders_[number] = folder;
  const std::unique_ptr<DIR, CloseFolder> open(::opendir(folder.c_str()));
  if (!open) return;
  // What is built lies in folders of any name.
  if (::access((folder + "/CMakeCache.txt").c_str(), F_OK) == 0) {
    ::inotify_rm_watch(inotify_.get(), number);
    folders_.erase(number);
    return;
  }
  while (const dirent* const entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    const std::string path = folder + "/" + entry->d_name;
    if (is_folder(path, *entry)) {
      if (is_source_folder(name)) add(path, is_new);
    } else if (is_new) {
      note(change_of(name));  // it came with the folder
    }
  }
}

void FolderWatch::read() {
  alignas(inotify_event) std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size <= 0) return;
    for (ssize_t at = 0; at < size;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* const name = buffer.data() + at + sizeof event;
      at += static_cast<ssize_t>(sizeof event + event.len);
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        note(Change::source);  // whatever it was
        continue;
      }
      const auto folder = folders_.find(event.wd);
      if (folder == folders_.end()) continue;
      if ((event.mask & IN_IGNORED) != 0) {
        folders_.erase(folder);
      } else if ((event.mask & IN_ISDIR) != 0) {
        const bool is_there = (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
        if (is_there && is_source_folder(name)) add(folder->second + "/" + name, true);
      } else if (event.len > 0 && (event.mask & IN_CREATE) == 0) {
        note(change_of(name));  // a file that is made is still to be written
      }
    }
  }
}

void FolderWatch::note(Change change) {
  if (change == Change::none) return;
  pending_ = std::max(pending_, change);
  loop_.remove_timeout(quiet_);
  quiet_ =
      loop_.call_later(quiet_time, [this] { changed_(std::exchange(pending_, Change::none)); });
}

}  // namespace squall::tools
