// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace squall::locale {

/// Puts values in the place of Python's named placeholders, which translations have:
///
///     interpolate("%(name)s liked this", {{"name", "Ada"}})
///
/// `%(name)s` and `%(name)d` are the same, `%%` is a percent sign. A placeholder of another name
/// and anything else after a percent sign stay as they are: a translator's mistake shows, and
/// breaks no page. Nothing is escaped.
[[nodiscard]] std::string interpolate(
    std::string_view text,
    std::initializer_list<std::pair<std::string_view, std::string_view>> values);

}  // namespace squall::locale
