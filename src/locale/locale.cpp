// SPDX-License-Identifier: Apache-2.0
#include "locale/locale_code.hpp"
#include "locale/messages.hpp"

#include <squall/locale/locale.hpp>

namespace squall::locale {

Locale::Locale(std::string_view code, const Messages* messages)
    : code_(code), rtl_(is_right_to_left(code)), messages_(messages) {}

Locale::~Locale() = default;

std::string_view Locale::translate(std::string_view message) const noexcept {
  if (messages_ == nullptr) return message;
  const std::string_view found = messages_->find(message);
  return found.data() != nullptr ? found : message;
}

std::string_view Locale::translate(std::string_view message, std::string_view plural_message,
                                   std::int64_t count) const noexcept {
  if (messages_ != nullptr) {
    const std::string_view found = messages_->find(message, plural_message, count);
    if (found.data() != nullptr) return found;
  }
  return count == 1 ? message : plural_message;
}

std::string_view Locale::pgettext(std::string_view context,
                                  std::string_view message) const noexcept {
  if (messages_ == nullptr) return message;
  const std::string_view found = messages_->find_in(context, message);
  return found.data() != nullptr ? found : message;
}

std::string_view Locale::pgettext(std::string_view context, std::string_view message,
                                  std::string_view plural_message,
                                  std::int64_t count) const noexcept {
  if (messages_ != nullptr) {
    const std::string_view found = messages_->find_in(context, message, plural_message, count);
    if (found.data() != nullptr) return found;
  }
  return count == 1 ? message : plural_message;
}

}  // namespace squall::locale
