// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "locale/csv_file.hpp"
#include "locale/locale_code.hpp"
#include "locale/mo_file.hpp"
#include "locale/text_encoding.hpp"
#include "locale/translations_impl.hpp"

#include <squall/base/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

namespace squall::locale {
namespace {

namespace fs = std::filesystem;

// Places in a catalogue's text have 32 bits, and UTF-16 grows.
constexpr std::size_t most_file_size = std::size_t{1} << 30;

/// Gathers what the files of a directory give.
class Loading {
 public:
  Loading(std::string_view directory, const LoadOptions& options)
      : directory_(directory), options_(options) {
    if (options.max_file_size > most_file_size) {
      throw UsageError("LoadOptions::max_file_size is 1 GiB at most");
    }
    if (options.default_locale.empty()) throw UsageError("LoadOptions::default_locale is empty");
  }

  /// Names in the directory, sorted, so that what is loaded and logged is the same each time.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    std::error_code error;
    fs::directory_iterator entry(directory_, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      found.push_back(entry->path().filename().string());
    }
    if (error) {
      throw std::system_error(error, "cannot load translations of " + directory_.string());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  void left_out(const fs::path& file, std::string what) {
    log::format(log::Level::error, "locale", "{}: {}", file.string(), what);
    errors_.push_back({file.string(), std::move(what)});
  }

  std::optional<std::string> read(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string bytes;
    char piece[16 * 1024];
    while (in && bytes.size() <= options_.max_file_size) {
      in.read(piece, sizeof piece);
      bytes.append(piece, static_cast<std::size_t>(in.gcount()));
    }
    if (!in.eof() && bytes.size() <= options_.max_file_size) {
      left_out(file, "cannot be read: " + std::generic_category().message(errno));
      return {};
    }
    if (bytes.size() > options_.max_file_size) {
      left_out(file, fmt::format("it has more than {} bytes", options_.max_file_size));
      return {};
    }
    return bytes;
  }

  void add(const std::string& code, const fs::path& file, std::shared_ptr<const Messages> messages,
           std::string why) {
    if (messages == nullptr) {
      left_out(file, std::move(why));
      return;
    }
    const std::string key = code_key(code);
    for (const auto& [other, _] : loaded_) {
      if (code_key(other) != key) continue;
      left_out(file, fmt::format("it is for the same locale as {}", other));
      return;
    }
    if (loaded_.size() == limits::catalog_files) {
      throw UsageError(fmt::format("{} has translations for more than {} locales",
                                   directory_.string(), limits::catalog_files));
    }
    loaded_.emplace(code, std::move(messages));
  }

  Translations finish() {
    if (loaded_.empty() && errors_.empty()) left_out(directory_, "no translations there");
    log::format(log::Level::debug, "locale", "{} locales of {}", loaded_.size(),
                directory_.string());
    return Translations::Impl::share(
        new Translations::Impl(options_.default_locale, std::move(loaded_), std::move(errors_)));
  }

  [[nodiscard]] const fs::path& directory() const noexcept { return directory_; }
  [[nodiscard]] const LoadOptions& options() const noexcept { return options_; }

 private:
  fs::path directory_;
  const LoadOptions& options_;
  Translations::Impl::Loaded loaded_;
  std::vector<LoadError> errors_;
};

}  // namespace

Translations load_translations(std::string_view directory, std::string_view encoding,
                               const LoadOptions& options) {
  const auto known = encoding_of(encoding);
  if (!known) {
    throw UsageError("translations cannot be read in the encoding \"" + std::string(encoding) +
                     "\": make them UTF-8 or UTF-16");
  }
  Loading loading(directory, options);
  for (const std::string& name : loading.names()) {
    if (!name.ends_with(".csv")) continue;
    const fs::path file = loading.directory() / name;
    const std::string code = name.substr(0, name.size() - 4);
    if (!is_locale_code(code)) {
      loading.left_out(file, "its name is no locale's, as es.csv, es_GT.csv or zh_Hant.csv");
      continue;
    }
    auto bytes = loading.read(file);
    if (!bytes) continue;
    std::string why;
    std::vector<std::string> notes;
    const auto text = to_utf8(*std::move(bytes), *known, why);
    std::shared_ptr<const Messages> messages;
    if (text) messages = read_csv_file(*text, options.max_messages, why, notes);
    for (std::string& note : notes) loading.left_out(file, std::move(note));
    loading.add(code, file, std::move(messages), std::move(why));
  }
  return loading.finish();
}

Translations load_gettext_translations(std::string_view directory, std::string_view domain,
                                       const LoadOptions& options) {
  if (domain.empty() || domain.find_first_of(std::string_view("/\0", 2)) != domain.npos) {
    throw UsageError("a gettext domain is the name of the .mo files without its ending, not \"" +
                     std::string(domain) + "\"");
  }
  Loading loading(directory, options);
  for (const std::string& code : loading.names()) {
    const fs::path file =
        loading.directory() / code / "LC_MESSAGES" / (std::string(domain) + ".mo");
    std::error_code error;
    if (!fs::exists(file, error)) {
      if (error) loading.left_out(file, "cannot be read: " + error.message());
      continue;
    }
    auto bytes = loading.read(file);
    if (!bytes) continue;
    std::string why;
    std::string note;
    std::shared_ptr<const Messages> messages =
        read_mo_file(*std::move(bytes), options.max_messages, why, note);
    if (!note.empty()) loading.left_out(file, std::move(note));
    loading.add(code, file, std::move(messages), std::move(why));
  }
  return loading.finish();
}

}  // namespace squall::locale
