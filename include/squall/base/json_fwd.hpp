// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

namespace boost::json {
class array;
class object;
class value;
}  // namespace boost::json

namespace squall {

namespace json = boost::json;

/// The JSON documents, which may be written where text may. Include <squall/json.hpp> to make them.
template <class T>
concept JSONDocument = std::is_same_v<T, json::value> || std::is_same_v<T, json::object> ||
    std::is_same_v<T, json::array>;

}  // namespace squall
