// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace squall::http {

/// The media type for a file, by the extension of its name (in any case), ready to be sent as
/// Content-Type: text comes with `; charset=utf-8`. application/octet-stream when the extension
/// is not known or there is none; a leading dot begins none.
[[nodiscard]] std::string_view mime_type(std::string_view path) noexcept;

}  // namespace squall::http
