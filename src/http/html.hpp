// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace squall::http {

/// Makes text safe within HTML and XML, in elements and in quoted attributes: `&`, `<`, `>`, `"`
/// and `'` become `&amp;`, `&lt;`, `&gt;`, `&quot;` and `&#x27;`.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace squall::http
