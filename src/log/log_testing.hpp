// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/log.hpp>
#include <squall/log/output.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <unistd.h>

namespace squall {

/// A directory for the log files of one test, and the log as it was when the test ends.
class LogDirectory : public ::testing::Test {
 protected:
  LogDirectory() {
    std::string pattern = ::testing::TempDir() + "squall_log_XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), pattern);
    }
    directory_ = pattern;
  }
  ~LogDirectory() override {
    log::reset();
    log::clear_channel_levels();
    log::set_level(log::Level::info);
    std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] std::string path(const std::string& name = "app.log") const {
    return directory_ + "/" + name;
  }
  [[nodiscard]] std::string text(const std::string& name = "app.log") const {
    std::ostringstream all;
    all << std::ifstream(path(name)).rdbuf();
    return all.str();
  }
  [[nodiscard]] bool exists(const std::string& name) const {
    return std::filesystem::exists(path(name));
  }

 private:
  std::string directory_;
};

}  // namespace squall
