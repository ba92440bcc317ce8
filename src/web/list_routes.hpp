// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/application.hpp>

namespace squall::web {

/// The environment variable in which `squall routes` names the file that it reads.
inline constexpr const char* routes_variable = "SQUALL_ROUTES_FILE";

/// When `squall routes` asks: adds a line of JSON for each route to that file, and has the loop's first turn
/// end the process, after all calls of listen(). True then: nothing is to be served.
bool list_routes_instead(Application& application);

}  // namespace squall::web
