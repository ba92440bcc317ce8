// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/json_fwd.hpp>

#include <boost/json.hpp>

// squall::json is Boost.JSON under a shorter name: json::value, json::object, json::array,
// json::parse, json::serialize, json::value_from, json::value_to.
