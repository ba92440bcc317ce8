// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace squall::web {

/// The text of squall-realtime.js.
extern const std::string_view hub_script;

}  // namespace squall::web
