// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "web/file_load.hpp"

#include <squall/http/request_head.hpp>

#include <cstddef>

namespace squall::web {

/// Which of the variants that are there suits a client best, by the weights of its Accept-Encoding
/// (RFC 9110 §12.5.3); among equals the earlier. `available` has a bit for each of `variants`; 0,
/// the file itself, where nothing else is wanted, and where the field is missing or malformed.
[[nodiscard]] std::size_t choose_sibling(const http::RequestHead& head,
                                         unsigned available) noexcept;

}  // namespace squall::web
