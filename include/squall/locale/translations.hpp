// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>
#include <squall/locale/locale.hpp>

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace squall::locale {

struct LoadOptions {
  /// The language that the program's messages are in; it needs no file.
  std::string_view default_locale = "en_US";
  std::size_t max_file_size = limits::catalog_file_bytes;  ///< bytes
  std::size_t max_messages = limits::catalog_messages;     ///< of one file
};
static_assert(std::is_trivially_destructible_v<LoadOptions>);

/// A file, or a row of one, that was left out.
struct LoadError {
  std::string file;
  std::string what;  ///< with the line or the byte
};

/// The locales of a program: a share in what was loaded, cheap to copy. Nothing of it changes after
/// loading, so that threads may use it at the same time.
class Translations {
 public:
  /// No translations: the default locale alone.
  explicit Translations(std::string_view default_locale = "en_US");
  Translations(const Translations& other) noexcept;
  Translations& operator=(const Translations& other) noexcept;
  ~Translations();

  /// The locale of that code; UsageError when it is not supported. Case does not count, and '-' is
  /// '_'.
  [[nodiscard]] const Locale& get(std::string_view code) const;
  /// The first code that is supported as it is or less exactly decides (RFC 4647 §3.4): of
  /// "zh-Hant-TW", zh_Hant_TW, zh_Hant, zh_TW, zh. The default locale when none is. "" and "*" are
  /// skipped.
  [[nodiscard]] const Locale& get_closest(std::span<const std::string_view> codes) const;
  [[nodiscard]] const Locale& get_closest(std::initializer_list<std::string_view> codes) const {
    return get_closest(std::span<const std::string_view>(codes.begin(), codes.size()));
  }
  /// The same for the languages of an Accept-Language field, by their weights; nullptr when it has
  /// none.
  [[nodiscard]] const Locale* get_accepted(std::string_view accept_language) const;
  [[nodiscard]] const Locale& default_locale() const noexcept;
  /// Codes of the locales that were loaded, and the default's; sorted.
  [[nodiscard]] const std::vector<std::string>& get_supported_locales() const noexcept;
  /// What was left out when they were loaded.
  [[nodiscard]] const std::vector<LoadError>& errors() const noexcept;

  /// The same translations with another default.
  [[nodiscard]] Translations with_default_locale(std::string_view code) const;

  /// For the library.
  struct Impl;

 private:
  friend struct Impl;
  explicit Translations(Impl* impl) noexcept : impl_(impl) {}

  Impl* impl_;
};

/// Reads Tornado's CSV files, `es_GT.csv` and the like: message, translation, and perhaps "plural",
/// "singular" or "unknown". `encoding` is "utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii" or
/// "latin-1"; "" looks at each file's byte order mark, and without one it is UTF-8. A UsageError
/// for others.
///
/// Throws std::system_error when the directory cannot be read. A file that cannot be used, and a
/// row with another indicator, are left out: Translations::errors() and the log tell. Reads files:
/// for the start of a program, or for an Executor.
[[nodiscard]] Translations load_translations(std::string_view directory,
                                             std::string_view encoding = {},
                                             const LoadOptions& options = {});

/// Reads `{directory}/{code}/LC_MESSAGES/{domain}.mo`, as msgfmt makes them, in either byte order.
/// They must be in UTF-8 or ASCII. Errors as with load_translations().
[[nodiscard]] Translations load_gettext_translations(std::string_view directory,
                                                     std::string_view domain,
                                                     const LoadOptions& options = {});

// Translations of the whole process, for programs that want one set of them, as Tornado has it.
// There are none until these are called, and applications with Settings::translations do not look
// at them. Any thread may call these. What get() has given stays valid to the end of the process,
// so each change keeps what was before: for the start of a program, limits::default_translations
// times at most, else a UsageError.

void set_default_translations(const Translations& translations);
[[nodiscard]] Translations default_translations();
void set_default_locale(std::string_view code);
[[nodiscard]] std::vector<std::string> get_supported_locales();

/// Locale::get_closest().
template <class... Codes>
[[nodiscard]] const Locale& get(const Codes&... codes) {
  return Locale::get_closest({std::string_view(codes)...});
}

}  // namespace squall::locale
