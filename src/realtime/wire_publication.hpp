// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/realtime/publication.hpp>

#include <string>
#include <string_view>

namespace squall::realtime {

/// Appends what processes tell each other of a publication: all but its channel and position. It
/// begins with a version and a few readable characters, as in `1mt0.0.0;hello`.
void append_wire_publication(std::string& to, const Publication& publication);

/// The way back; nothing when `wire` was not written by the above.
[[nodiscard]] PublicationRef read_wire_publication(std::string_view channel, std::string_view wire,
                                                   const Position& position);

/// A name for a new life of a stream, never given before.
[[nodiscard]] std::string new_epoch();

}  // namespace squall::realtime
