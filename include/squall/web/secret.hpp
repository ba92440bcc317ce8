// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace squall::web {

/// One of several keys that sign cookies. To change keys, add a new one and make it
/// Settings::key_version; remove the old one when what it has signed is too old anyway.
struct CookieSecret {
  int version;  ///< 0 or more
  std::string_view key;
};

}  // namespace squall::web
