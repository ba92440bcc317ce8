// SPDX-License-Identifier: Apache-2.0
#include "http/ascii.hpp"
#include "web/exchange.hpp"

#include <squall/locale/translations.hpp>

#include <string>

// The language of a request.
namespace squall::web {

const squall::locale::Locale& RequestHandler::locale() {
  if (exchange().locale() == nullptr) {
    RequestHandler& handler = exchange().whose_hooks(*this);
    const squall::locale::Locale* const chosen = handler.get_user_locale();
    set_locale(chosen != nullptr ? *chosen : handler.get_browser_locale());
  }
  return *exchange().locale();
}

void RequestHandler::set_locale(const squall::locale::Locale& locale) {
  exchange().set_locale(locale);
}

const squall::locale::Locale* RequestHandler::get_user_locale() { return nullptr; }

const squall::locale::Locale& RequestHandler::get_browser_locale(std::string_view default_code) {
  Exchange& self = exchange();
  if (!self.head_is_written() && !self.is_finished()) self.vary_on("Accept-Language");
  const http::RequestHead& head = self.head();
  std::string joined;  // of several lines of that name, which are one list (RFC 9110 §5.3)
  std::string_view field;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (!http::ascii::equal(head.field_name(i), "Accept-Language")) continue;
    if (field.empty()) {
      field = head.field_value(i);
      continue;
    }
    if (joined.empty()) joined = field;
    joined.append(",").append(head.field_value(i));
    field = joined;
  }
  const squall::locale::Translations& translations = *settings().translations;
  const squall::locale::Locale* const accepted = translations.get_accepted(field);
  return accepted != nullptr ? *accepted : translations.get_closest({default_code});
}

}  // namespace squall::web
