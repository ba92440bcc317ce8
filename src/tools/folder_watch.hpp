// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/loop/unique_fd.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace squall::tools {

/// What a changed file asks for; a later one includes those before.
enum class Change : unsigned char {
  none,
  page,     ///< the program reads it whenever it is asked for it: pages load again
  restart,  ///< the program reads it once: templates, translations, configuration
  source,   ///< the compiler reads it
};

/// By its name alone. What nobody edits is none: a program may write into its own folder.
[[nodiscard]] Change change_of(std::string_view file_name) noexcept;
/// Whether a folder of this name holds sources, rather than what is built, fetched or hidden.
[[nodiscard]] bool is_source_folder(std::string_view name) noexcept;

/// Watches folders and all below them, also those to come. On the current loop.
class FolderWatch {
 public:
  /// `changed` is called with the strongest change once no other has come for 100 ms. Throws
  /// std::system_error when a path is not there or nothing can be watched.
  FolderWatch(const std::vector<std::string>& paths, std::function<void(Change)> changed);
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;
  ~FolderWatch();

  [[nodiscard]] std::size_t size() const noexcept { return folders_.size(); }

 private:
  void add(const std::string& folder, bool is_new);
  void read();
  void note(Change change);

  IOLoop& loop_;
  std::function<void(Change)> changed_;
  UniqueFd inotify_;
  std::unordered_map<int, std::string> folders_;  // by the number of their watch
  Change pending_ = Change::none;
  TimeoutHandle quiet_;
  bool is_full_ = false;
};

}  // namespace squall::tools
