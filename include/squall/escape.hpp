// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// Text within HTML and URLs. All functions take any bytes, in linear time.
namespace squall {

/// Makes text safe within HTML and XML, in elements and in quoted attributes: `&`, `<`, `>`, `"`
/// and `'` become character references.
[[nodiscard]] std::string xhtml_escape(std::string_view text);

/// Undoes that, and all named and numeric character references of HTML (WHATWG HTML §13.2.5.72 and
/// following), as a browser reads them in text; what is none stays as it is.
[[nodiscard]] std::string xhtml_unescape(std::string_view text);

/// Percent-encodes all but letters, digits and `_.-~` (RFC 3986 §2.3). A space becomes `+`, as in
/// queries and forms; without `plus`, `%20`, and slashes stay, as in paths.
[[nodiscard]] std::string url_escape(std::string_view text, bool plus = true);

/// Undoes it. A `%` without two hexadecimal digits stays as it is; the result may be no UTF-8.
[[nodiscard]] std::string url_unescape(std::string_view text, bool plus = true);

/// Makes each run of white space and control characters (bytes up to 0x20) one space, and drops
/// those at both ends.
[[nodiscard]] std::string squeeze(std::string_view text);

/// The arguments of a query or a urlencoded form, decoded, each with its values in order; those
/// without a value only with `keep_blank_values`. Throws Error past limits::argument_count.
[[nodiscard]] std::map<std::string, std::vector<std::string>, std::less<>> parse_qs(
    std::string_view query, bool keep_blank_values = false);

struct LinkifyOptions {
  /// Shows about 30 characters of long URLs; the whole is the link's title.
  bool shorten = false;
  /// Attributes of each link, as they stand in HTML: `rel="nofollow" class="external"`.
  std::string_view extra_params = {};
  /// The same, made of each link's target, escaped; in place of `extra_params`.
  std::string (*extra_params_of)(std::string_view href) = nullptr;
  /// Leaves out what begins with `www.` and has no scheme.
  bool require_protocol = false;
  /// To be written inside the braces of the options.
  std::initializer_list<std::string_view> permitted_protocols = {};  ///< http and https if empty
};
static_assert(std::is_trivially_destructible_v<LinkifyOptions>);

/// Text as HTML, escaped, in which URLs are links: `see https://example.com` becomes `see <a
/// href="https://example.com">https://example.com</a>`. Punctuation behind a URL is not part of it.
[[nodiscard]] std::string linkify(std::string_view text, const LinkifyOptions& options = {});

}  // namespace squall
