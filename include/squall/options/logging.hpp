// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/options/parser.hpp>

namespace squall {

/// Defines Tornado's options for the log, and applies them when parsing is over:
///
/// - `--logging=debug|info|warning|error|none`: the least level; `none` leaves the log alone, and
///   so does the default when the program has set a level itself. Also by channel:
///   `--logging=info,access:warning`
/// - `--log-to-stderr`: also there when there is a file
/// - `--log-file-prefix=PATH`: the file
/// - `--log-file-max-size=100000000`, `--log-file-num-backups=10`
/// - `--log-rotate-mode=size|time`, `--log-rotate-when=midnight`, `--log-rotate-interval=1`
/// - `--log-format=text|json`, which Tornado has not
///
/// Throws UsageError when the parser has one of these names already.
void define_logging_options(OptionParser& parser);

}  // namespace squall
