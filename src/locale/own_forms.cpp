// SPDX-License-Identifier: Apache-2.0
#include "locale/own_forms.hpp"

#include "locale/locale_code.hpp"

#include <squall/base/limits.hpp>
#include <squall/locale/locale.hpp>

#include <array>
#include <memory>
#include <set>
#include <unicode/dtptngen.h>
#include <unicode/listformatter.h>
#include <unicode/locid.h>
#include <unicode/numberformatter.h>
#include <unicode/reldatefmt.h>
#include <unicode/smpdtfmt.h>
#include <unicode/unistr.h>
#include <vector>

namespace squall::locale {

bool has_icu() noexcept { return true; }

namespace own {
namespace {

std::string utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

icu::UnicodeString utf16(std::string_view text) {
  return icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

// Languages whose forms ICU has. Of others it would give those of the environment's language.
bool is_known(const std::string& language) {
  static const std::set<std::string, std::less<>> known = [] {
    std::set<std::string, std::less<>> languages;
    std::int32_t count = 0;
    const icu::Locale* const all = icu::Locale::getAvailableLocales(count);
    for (std::int32_t i = 0; i < count; ++i) languages.insert(all[i].getLanguage());
    return languages;
  }();
  return known.find(language) != known.end();
}

icu::Locale icu_locale(std::string_view code) {
  std::string name(code.substr(0, code.find('.')));  // sr_RS.UTF-8@latin, as the C library has it
  const std::size_t modifier = code.find('@');
  if (modifier != std::string_view::npos) {
    name.resize(std::min(name.size(), modifier));
    const std::string_view script = code.substr(modifier + 1);
    const std::string_view icu_script = script == "latin"      ? "_Latn"
                                        : script == "cyrillic" ? "_Cyrl"
                                                               : "";
    name.insert(std::min(name.find('_'), name.size()), icu_script);
  }
  return icu::Locale::createCanonical(name.c_str());
}

icu::UnicodeString skeleton_of(DateForm form) {
  switch (form) {
    case DateForm::weekday:
      return u"EEEE";
    case DateForm::weekday_time:
      return u"EEEEjm";
    case DateForm::month_day:
      return u"MMMMd";
    case DateForm::month_day_time:
      return u"MMMMdjm";
    case DateForm::full:
      return u"yMMMMd";
    case DateForm::full_time:
      return u"yMMMMdjm";
    case DateForm::weekday_month_day:
      return u"EEEEMMMMd";
    default:
      return u"jm";
  }
}

// What a thread keeps for a locale. Making one takes ICU up to a millisecond.
class Formatters {
 public:
  explicit Formatters(std::string_view code) : code_(code), locale_(icu_locale(code)) {}

  [[nodiscard]] const std::string& code() const noexcept { return code_; }
  [[nodiscard]] const icu::Locale& locale() const noexcept { return locale_; }

  icu::SimpleDateFormat* date(DateForm form) {
    auto& kept = dates_[static_cast<std::size_t>(form)];
    if (kept) return kept.get();
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::DateTimePatternGenerator> patterns(
        icu::DateTimePatternGenerator::createInstance(locale_, status));
    if (U_FAILURE(status)) return nullptr;
    const icu::UnicodeString pattern = patterns->getBestPattern(skeleton_of(form), status);
    auto made = std::make_unique<icu::SimpleDateFormat>(pattern, locale_, status);
    if (U_FAILURE(status)) return nullptr;
    made->adoptTimeZone(icu::TimeZone::getGMT()->clone());
    kept = std::move(made);
    return kept.get();
  }

  icu::RelativeDateTimeFormatter* relative() {
    UErrorCode status = U_ZERO_ERROR;
    if (!relative_) {
      relative_ = std::make_unique<icu::RelativeDateTimeFormatter>(locale_, status);
      if (U_FAILURE(status)) relative_.reset();
    }
    return relative_.get();
  }

  icu::ListFormatter* list() {
    UErrorCode status = U_ZERO_ERROR;
    if (!list_) {
      list_.reset(icu::ListFormatter::createInstance(locale_, status));
      if (U_FAILURE(status)) list_.reset();
    }
    return list_.get();
  }

  const icu::number::LocalizedNumberFormatter& number() {
    if (!number_) {
      number_ = std::make_unique<icu::number::LocalizedNumberFormatter>(
          icu::number::NumberFormatter::withLocale(locale_));
    }
    return *number_;
  }

 private:
  std::string code_;
  icu::Locale locale_;
  std::array<std::unique_ptr<icu::SimpleDateFormat>, date_form_count> dates_;
  std::unique_ptr<icu::RelativeDateTimeFormatter> relative_;
  std::unique_ptr<icu::ListFormatter> list_;
  std::unique_ptr<icu::number::LocalizedNumberFormatter> number_;
};

// This thread's for that code; nullptr for a language that is not known. Those used last come
// first.
Formatters* formatters(std::string_view code) {
  thread_local std::vector<std::unique_ptr<Formatters>> kept;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i]->code() != code) continue;
    for (; i != 0; --i) std::swap(kept[i], kept[i - 1]);
    return kept.front().get();
  }
  if (!is_known(icu_locale(code).getLanguage())) return nullptr;
  if (kept.size() == limits::locale_formatters) kept.pop_back();
  kept.insert(kept.begin(), std::make_unique<Formatters>(code));
  return kept.front().get();
}

URelativeDateTimeUnit icu_unit(Unit unit) noexcept {
  switch (unit) {
    case Unit::second:
      return UDAT_REL_UNIT_SECOND;
    case Unit::minute:
      return UDAT_REL_UNIT_MINUTE;
    case Unit::hour:
      return UDAT_REL_UNIT_HOUR;
  }
  return UDAT_REL_UNIT_SECOND;
}

}  // namespace

std::optional<std::string> ago(std::string_view code, Unit unit, std::int64_t count) {
  Formatters* const forms = formatters(code);
  icu::RelativeDateTimeFormatter* const relative = forms ? forms->relative() : nullptr;
  if (relative == nullptr) return {};
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString text;
  relative->formatNumeric(-static_cast<double>(count), icu_unit(unit), text, status);
  if (U_FAILURE(status)) return {};
  return utf8(text);
}

std::optional<std::string> date(std::string_view code, DateForm form, std::int64_t local_seconds) {
  Formatters* const forms = formatters(code);
  if (forms == nullptr) return {};
  icu::UnicodeString text;
  if (form != DateForm::yesterday) {
    icu::SimpleDateFormat* const format = forms->date(form);
    if (format == nullptr) return {};
    format->format(static_cast<UDate>(local_seconds) * 1000, text);
  }
  if (form == DateForm::yesterday || form == DateForm::yesterday_time) {
    icu::RelativeDateTimeFormatter* const relative = forms->relative();
    if (relative == nullptr) return {};
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeString day;
    relative->format(UDAT_DIRECTION_LAST, UDAT_ABSOLUTE_DAY, day, status);
    if (form == DateForm::yesterday) {
      text = day;
    } else {
      icu::UnicodeString both;
      relative->combineDateAndTime(day, text, both, status);
      text = both;
    }
    if (U_FAILURE(status)) return {};
  }
  return utf8(text);
}

std::optional<std::string> list(std::string_view code, std::span<const std::string_view> parts) {
  Formatters* const forms = formatters(code);
  icu::ListFormatter* const format = forms ? forms->list() : nullptr;
  if (format == nullptr) return {};
  std::vector<icu::UnicodeString> items;
  items.reserve(parts.size());
  for (const std::string_view part : parts) items.push_back(utf16(part));
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString text;
  format->format(items.data(), static_cast<std::int32_t>(items.size()), text, status);
  if (U_FAILURE(status)) return {};
  return utf8(text);
}

std::optional<std::string> number(std::string_view code, std::int64_t value) {
  Formatters* const forms = formatters(code);
  if (forms == nullptr) return {};
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString text = forms->number().formatInt(value, status).toString(status);
  if (U_FAILURE(status)) return {};
  return utf8(text);
}

std::optional<std::string> name(std::string_view code) {
  Formatters* const forms = formatters(code);
  if (forms == nullptr) return {};
  icu::UnicodeString text;
  forms->locale().getDisplayName(forms->locale(), text);
  return utf8(text);
}

}  // namespace own
}  // namespace squall::locale
