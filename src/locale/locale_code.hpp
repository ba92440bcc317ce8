// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace squall::locale {

/// What codes are compared by: in lower case, with '_' for '-'.
[[nodiscard]] std::string code_key(std::string_view code);

/// The keys that a code stands for, the most exact first (RFC 4647 §3.4): of "zh-Hant-TW"
/// zh_hant_tw, zh_hant, zh_tw, zh. Languages with a script are often named by their country alone,
/// which is why that comes before the language. Nothing of "" and "*".
[[nodiscard]] std::vector<std::string> lookup_keys(std::string_view code);

/// The language of a code, in lower case: "pt" of "pt_BR".
[[nodiscard]] std::string language_of(std::string_view code);

/// Whether that is written from right to left.
[[nodiscard]] bool is_right_to_left(std::string_view code);

/// Whether `code` may be the name of a CSV file: es, es_GT, es_419, zh_Hant_TW.
[[nodiscard]] bool is_locale_code(std::string_view code) noexcept;

/// The name of a language in itself, of a table; "" when it is not there.
[[nodiscard]] std::string_view known_locale_name(std::string_view code) noexcept;

}  // namespace squall::locale
