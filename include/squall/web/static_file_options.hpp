// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>

#include <string_view>
#include <type_traits>

namespace squall::web {

/// How a StaticFileHandler serves its directory.
struct StaticFileOptions {
  /// Served for a directory; "" serves none. Must live as long as the application, as a literal
  /// does; Settings copy it.
  std::string_view default_filename = {};
  /// Lets symbolic links lead out of the directory, and be absolute. Links within it always work.
  bool follow_symlinks = false;
  /// Serves what is hidden by a leading dot. `/.well-known/` (RFC 8615) is served without it.
  bool dot_files = false;
  /// Sends `name.br`, `name.zst` or `name.gz` in place of `name` to clients that take that coding,
  /// unless the file is newer than it.
  bool precompressed = true;
  /// How long a change of a file may go unseen.
  Duration check_interval = Duration::from_seconds(1);
};
static_assert(std::is_trivially_destructible_v<StaticFileOptions>);

}  // namespace squall::web
