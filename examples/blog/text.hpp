// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Text as HTML and XML show it, in elements and in quoted attributes; control characters, which
/// XML does not have, are left out.
std::string escaped(std::string_view text);

/// Paragraphs of HTML: an empty line ends one, a new line is one. All else is shown as it is.
std::string paragraphs(std::string_view text);

/// A name for URLs: `Hello, World!` is `hello-world`. Letters beyond ASCII stay as they are.
std::string slug_of(std::string_view title);

/// `27 November 2026`, of seconds since 1970 in UTC.
std::string date_in_words(std::int64_t time);
/// `2026-11-27T13:24:05Z` (RFC 3339).
std::string timestamp(std::int64_t time);
