// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/json_fwd.hpp>

#include <boost/json.hpp>

#include <string>
#include <string_view>

// squall::json is Boost.JSON under a shorter name: json::value, json::object, json::array,
// json::parse, json::serialize, json::value_from, json::value_to.

namespace squall {

/// The text of a document, which may also stand in a `<script>` of a page: `</` is written `<\/`.
/// RequestHandler::write() and json::serialize() leave that as it is.
[[nodiscard]] std::string json_encode(const json::value& document);

/// The document of a text. Throws Error when it is none.
[[nodiscard]] json::value json_decode(std::string_view text);

}  // namespace squall
