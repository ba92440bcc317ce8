// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "locale/messages.hpp"

#include <squall/locale/translations.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace squall::locale {

struct Translations::Impl {
  using Loaded = std::map<std::string, std::shared_ptr<const Messages>, std::less<>>;

  Impl(std::string_view default_locale, Loaded messages, std::vector<LoadError> what_failed);

  /// nullptr when it is not supported.
  [[nodiscard]] const Locale* find(std::string_view key) const noexcept;
  [[nodiscard]] const Locale* closest(std::string_view code) const;
  [[nodiscard]] static Translations share(Impl* made) noexcept { return Translations(made); }

  std::atomic<std::size_t> shares{1};
  Loaded loaded;                                                              // by code
  std::map<std::string, std::unique_ptr<const Locale>, std::less<>> locales;  // by code_key()
  const Locale* default_locale = nullptr;
  std::vector<std::string> codes;
  std::vector<LoadError> errors;
};

}  // namespace squall::locale
