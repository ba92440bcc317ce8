// SPDX-License-Identifier: Apache-2.0
#include "web/argon2.hpp"

#include <squall/base/error.hpp>

namespace squall::web {

void require_argon2() {
  throw UsageError("this build of Squall has no libargon2: configure it with SQUALL_ARGON2=ON");
}

std::string argon2(std::string_view /*password*/, const Argon2Hash& /*like*/,
                   std::size_t /*size*/) {
  require_argon2();
  return {};
}

}  // namespace squall::web
