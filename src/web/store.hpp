// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/store.hpp>

#include <cstdint>
#include <string_view>

namespace squall::web {

/// The time of a store's clock.
[[nodiscard]] std::int64_t store_now(StoreClock clock);
/// A UsageError for what Store::set() refuses; else the milliseconds since 1970 until when.
[[nodiscard]] std::int64_t check_entry(std::string_view value, Duration time_to_live,
                                       std::int64_t now);

}  // namespace squall::web
