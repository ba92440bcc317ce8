// SPDX-License-Identifier: Apache-2.0
#include <squall/http/status.hpp>

namespace squall::http {

std::string_view reason_phrase(unsigned status) noexcept {
  switch (status) {
#define SQUALL_STATUS(code, reason) \
  case code:                        \
    return reason;
#include "http/status_table.inc"
#undef SQUALL_STATUS
    default:
      return "Unknown";
  }
}

}  // namespace squall::http
