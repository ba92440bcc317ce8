// SPDX-License-Identifier: Apache-2.0
#include "locale/own_forms.hpp"

#include <squall/locale/locale.hpp>

namespace squall::locale {

bool has_icu() noexcept { return false; }

namespace own {

std::optional<std::string> ago(std::string_view, Unit, std::int64_t) { return {}; }
std::optional<std::string> date(std::string_view, DateForm, std::int64_t) { return {}; }
std::optional<std::string> list(std::string_view, std::span<const std::string_view>) { return {}; }
std::optional<std::string> number(std::string_view, std::int64_t) { return {}; }
std::optional<std::string> name(std::string_view) { return {}; }

}  // namespace own
}  // namespace squall::locale
