// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "locale/messages.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace squall::locale {

/// Reads what msgfmt makes (GNU gettext, "The Format of GNU MO Files"): either byte order,
/// revisions 0 and 1. nullptr when it cannot be used, and `why` with the place. `note` gets what
/// was left out of one that is used. Sizes of 4 GiB and more are refused.
[[nodiscard]] std::unique_ptr<const Messages> read_mo_file(std::string bytes,
                                                           std::size_t max_messages,
                                                           std::string& why, std::string& note);

}  // namespace squall::locale
