// SPDX-License-Identifier: Apache-2.0
#include "locale/locale_code.hpp"
#include "locale/translations_impl.hpp"

#include <squall/base/error.hpp>
#include <squall/locale/accept_language.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

namespace squall::locale {

Translations::Impl::Impl(std::string_view default_code, Loaded messages,
                         std::vector<LoadError> what_failed)
    : loaded(std::move(messages)), errors(std::move(what_failed)) {
  for (const auto& [code, found] : loaded) {
    locales.emplace(code_key(code), std::unique_ptr<const Locale>(new Locale(code, found.get())));
    codes.push_back(code);
  }
  const std::string key = code_key(default_code);
  auto at = locales.find(key);
  if (at == locales.end()) {
    at = locales.emplace(key, std::unique_ptr<const Locale>(new Locale(default_code, nullptr)))
             .first;
    codes.emplace_back(default_code);
    std::sort(codes.begin(), codes.end());
  }
  default_locale = at->second.get();
}

const Locale* Translations::Impl::find(std::string_view key) const noexcept {
  const auto found = locales.find(key);
  return found == locales.end() ? nullptr : found->second.get();
}

const Locale* Translations::Impl::closest(std::string_view code) const {
  for (const std::string& key : lookup_keys(code)) {
    if (const Locale* const found = find(key)) return found;
  }
  return nullptr;
}

Translations::Translations(std::string_view default_locale)
    : impl_(new Impl(default_locale, {}, {})) {}

Translations::Translations(const Translations& other) noexcept : impl_(other.impl_) {
  impl_->shares.fetch_add(1, std::memory_order_relaxed);
}

Translations& Translations::operator=(const Translations& other) noexcept {
  Translations copy(other);
  std::swap(impl_, copy.impl_);
  return *this;
}

Translations::~Translations() {
  if (impl_->shares.fetch_sub(1, std::memory_order_acq_rel) == 1) delete impl_;
}

const Locale& Translations::get(std::string_view code) const {
  if (const Locale* const found = impl_->find(code_key(code))) return *found;
  std::string supported;
  for (const std::string& known : impl_->codes) {
    supported += supported.empty() ? "" : ", ";
    supported += known;
  }
  throw UsageError("the locale \"" + std::string(code) + "\" is not supported, but " + supported +
                   ": load its translations, or ask for get_closest()");
}

const Locale& Translations::get_closest(std::span<const std::string_view> codes) const {
  for (const std::string_view code : codes) {
    if (const Locale* const found = impl_->closest(code)) return *found;
  }
  return *impl_->default_locale;
}

const Locale* Translations::get_accepted(std::string_view accept_language) const {
  const std::vector<LanguageRange> ranges = parse_accept_language(accept_language);
  if (ranges.empty()) return nullptr;
  for (const LanguageRange& range : ranges) {
    if (const Locale* const found = impl_->closest(range.tag)) return found;
  }
  return impl_->default_locale;
}

const Locale& Translations::default_locale() const noexcept { return *impl_->default_locale; }

const std::vector<std::string>& Translations::get_supported_locales() const noexcept {
  return impl_->codes;
}

const std::vector<LoadError>& Translations::errors() const noexcept { return impl_->errors; }

Translations Translations::with_default_locale(std::string_view code) const {
  return Translations(new Impl(code, impl_->loaded, impl_->errors));
}

namespace {

// All that were ever set: what get() has given is in use somewhere. Never freed.
struct ProcessWide {
  std::mutex mutex;
  std::vector<Translations> all{Translations()};

  static ProcessWide& instance() {
    static auto* const made = new ProcessWide;
    return *made;
  }
  void set(const Translations& translations) {
    if (all.size() > limits::default_translations) {
      throw UsageError(
          "the process-wide translations have been set too often: set them when the program "
          "starts, or give each application its own (Settings::translations)");
    }
    all.push_back(translations);
  }
};

}  // namespace

void set_default_translations(const Translations& translations) {
  ProcessWide& whole = ProcessWide::instance();
  const std::scoped_lock lock(whole.mutex);
  whole.set(translations);
}

Translations default_translations() {
  ProcessWide& whole = ProcessWide::instance();
  const std::scoped_lock lock(whole.mutex);
  return whole.all.back();
}

void set_default_locale(std::string_view code) {
  ProcessWide& whole = ProcessWide::instance();
  const std::scoped_lock lock(whole.mutex);
  whole.set(whole.all.back().with_default_locale(code));
}

std::vector<std::string> get_supported_locales() {
  return default_translations().get_supported_locales();
}

const Locale& Locale::get(std::string_view code) { return default_translations().get(code); }

const Locale& Locale::get_closest(std::initializer_list<std::string_view> codes) {
  return default_translations().get_closest(codes);
}

}  // namespace squall::locale
