// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace squall::web {

/// A directory that a test fills; it goes with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/squall_staticXXXXXX";
    path_ = ::mkdtemp(name);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string of(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }
  /// Writes in place: the file keeps its inode.
  void put(std::string_view name, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(of(name)).parent_path());
    std::ofstream(of(name), std::ios::binary | std::ios::trunc) << text;
  }
  /// Puts another file in its place.
  void replace(std::string_view name, std::string_view text) const {
    put("replacement", text);
    std::filesystem::rename(of("replacement"), of(name));
  }
  void set_modified(std::string_view name, std::int64_t seconds) const {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, of(name).c_str(), times, 0), 0);
  }
  void link(std::string_view target, std::string_view name) const {
    EXPECT_EQ(::symlink(std::string(target).c_str(), of(name).c_str()), 0);
  }

 private:
  std::string path_;
};

}  // namespace squall::web
