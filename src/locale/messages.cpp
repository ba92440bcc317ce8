// SPDX-License-Identifier: Apache-2.0
#include "locale/messages.hpp"

#include <squall/base/log.hpp>

#include <atomic>

namespace squall::locale {
namespace {

std::string_view text_or_none(std::string_view text) noexcept {
  return text.empty() ? std::string_view() : text;  // left empty is left untranslated
}

std::string_view lookup(const Catalog& catalog, std::string_view message) noexcept {
  const Catalog::Entry* const entry = catalog.find(message);
  return entry == nullptr ? std::string_view() : catalog.value(*entry);
}

std::uint64_t magnitude(std::int64_t count) noexcept {
  const auto bits = static_cast<std::uint64_t>(count);
  return count < 0 ? 0 - bits : bits;
}

// "" is the key of a catalogue's head, and no message.
std::string_view context_of(std::string_view context) noexcept {
  return context.data() == nullptr ? std::string_view("") : context;
}

}  // namespace

std::string_view GettextMessages::form(const Catalog::Entry* entry,
                                       std::uint64_t count) const noexcept {
  if (entry == nullptr || !entry->has_plural) return {};
  std::size_t wanted = rule_.form(count);
  std::string_view forms = catalog_.value(*entry);
  for (; wanted != 0; --wanted) {
    const std::size_t end = forms.find('\0');
    if (end == std::string_view::npos) return {};
    forms.remove_prefix(end + 1);
  }
  return text_or_none(forms.substr(0, forms.find('\0')));
}

std::string_view GettextMessages::text(const Catalog::Entry* entry) const noexcept {
  if (entry == nullptr) return {};
  return entry->has_plural ? form(entry, 1) : text_or_none(catalog_.value(*entry));
}

std::string_view GettextMessages::find(std::string_view message) const noexcept {
  return message.empty() ? std::string_view() : text(catalog_.find(message));
}

std::string_view GettextMessages::find(std::string_view message, std::string_view /*plural*/,
                                       std::int64_t count) const noexcept {
  return form(catalog_.find(message), magnitude(count));
}

std::string_view GettextMessages::find_in(std::string_view context,
                                          std::string_view message) const noexcept {
  return text(catalog_.find(context_of(context), message));
}

std::string_view GettextMessages::find_in(std::string_view context, std::string_view message,
                                          std::string_view plural,
                                          std::int64_t count) const noexcept {
  const std::string_view found =
      form(catalog_.find(context_of(context), message), magnitude(count));
  return found.data() != nullptr ? found : find(message, plural, count);
}

std::string_view CSVMessages::find(std::string_view message) const noexcept {
  return lookup(unknown, message);
}

std::string_view CSVMessages::find(std::string_view message, std::string_view plural,
                                   std::int64_t count) const noexcept {
  return count == 1 ? lookup(singular, message) : lookup(plurals, plural);
}

std::string_view CSVMessages::find_in(std::string_view /*context*/,
                                      std::string_view message) const noexcept {
  warn_of_context();
  return find(message);
}

std::string_view CSVMessages::find_in(std::string_view /*context*/, std::string_view message,
                                      std::string_view plural, std::int64_t count) const noexcept {
  warn_of_context();
  return find(message, plural, count);
}

void CSVMessages::warn_of_context() const noexcept {
  static std::atomic<bool> warned{false};
  if (warned.load(std::memory_order_relaxed) || warned.exchange(true)) return;
  log::write(log::Level::warning, "locale",
             "pgettext() with translations of CSV files, which have no contexts: they are ignored");
}

}  // namespace squall::locale
