// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace squall::locale {

/// A directory that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "squall-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string path() const { return path_.string(); }
  void write(const std::string& name, std::string_view bytes) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }

 private:
  std::filesystem::path path_;
};

using Texts = std::vector<std::pair<std::string, std::string>>;

/// A number of four bytes as .mo files have it.
inline std::string mo_number(std::uint32_t value, bool big_endian = false) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) {
    bytes.push_back(static_cast<char>(value >> (big_endian ? 24 - 8 * i : 8 * i) & 0xff));
  }
  return bytes;
}

/// A .mo file of these messages and translations.
inline std::string mo_file(const Texts& texts, bool big_endian = false) {
  const auto count = static_cast<std::uint32_t>(texts.size());
  const auto number = [big_endian](std::size_t value) {
    return mo_number(static_cast<std::uint32_t>(value), big_endian);
  };
  std::string originals, translations, strings;
  const std::size_t strings_at = 28 + 16 * std::size_t{count};
  const auto put = [&](std::string& table, const std::string& text) {
    table += number(text.size()) + number(strings_at + strings.size());
    strings += text + '\0';
  };
  for (const auto& [original, translation] : texts) {
    put(originals, original);
    put(translations, translation);
  }
  return number(0x950412de) + number(0) + number(count) + number(28) +
         number(28 + 8 * std::size_t{count}) + number(0) + number(strings_at) + originals +
         translations + strings;
}

}  // namespace squall::locale
