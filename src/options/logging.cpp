// SPDX-License-Identifier: Apache-2.0
#include "options/text.hpp"

#include <squall/base/log.hpp>
#include <squall/log/output.hpp>
#include <squall/options/logging.hpp>

#include <system_error>

namespace squall {
namespace {

constexpr OptionChoice<log::Level> levels[] = {{"debug", log::Level::debug},
                                               {"info", log::Level::info},
                                               {"warning", log::Level::warning},
                                               {"error", log::Level::error},
                                               {"none", log::Level::none}};

/// "debug", or "access:none" for one channel.
struct ChannelLevel {
  std::string channel;  // "" is all
  log::Level level = log::Level::info;
};

void parse_option(std::string_view text, ChannelLevel& into) {
  const std::size_t colon = text.rfind(':');
  if (colon == 0) detail::refuse_value("names no channel before the ':'");
  const std::string_view word = colon == std::string_view::npos ? text : text.substr(colon + 1);
  for (const auto& [name, level] : levels) {
    if (ascii::equal(word, name)) {
      into.channel = colon == std::string_view::npos ? "" : text.substr(0, colon);
      into.level = level;
      return;
    }
  }
  detail::refuse_value("is not one of debug|info|warning|error|none, nor CHANNEL:LEVEL");
}

std::string format_option(const ChannelLevel& value) {
  const auto name = levels[static_cast<std::size_t>(value.level)].name;
  return value.channel.empty() ? std::string(name) : value.channel + ":" + std::string(name);
}

struct LoggingOptions {
  Option<std::vector<ChannelLevel>> logging;
  Option<bool> to_stderr;
  Option<std::string> file;
  Option<ByteCount> max_size;
  Option<unsigned> backups;
  Option<std::string> when;
  Option<unsigned> interval;
  Option<log::Rotation> mode;
  Option<log::Format> format;
};

void apply(const LoggingOptions& options) {
  bool is_left_alone = false;
  if (options.logging.is_set()) {
    for (const auto& [channel, level] : *options.logging) {
      if (!channel.empty()) {
        log::set_level(channel, level);
      } else if (level == log::Level::none) {
        is_left_alone = true;
      } else {
        log::set_level(level);
      }
    }
  }
  const bool has_output =
      !options.file->empty() || options.to_stderr.is_set() || options.format.is_set();
  if (is_left_alone || !has_output) return;
  if (options.file->empty() && options.to_stderr.is_set() && !*options.to_stderr) {
    throw OptionError(
        "--no-log-to-stderr without --log-file-prefix leaves no place for the log; "
        "--logging=error says less");
  }
  try {
    log::configure({.file = *options.file,
                    .to_stderr = *options.to_stderr,
                    .format = *options.format,
                    .rotation = *options.mode,
                    .max_file_bytes = options.max_size->count,
                    .backups = *options.backups,
                    .rotate_when = *options.when,
                    .rotate_interval = *options.interval});
  } catch (const std::system_error& error) {
    throw OptionError(std::string("--log-file-prefix: ") + error.what());
  }
}

}  // namespace

void define_logging_options(OptionParser& parser) {
  const OptionSettings group{.group = "logging"};
  const auto with = [](std::string_view metavar) {
    return OptionSettings{.metavar = metavar, .group = "logging"};
  };
  const LoggingOptions options{
      parser.define<std::vector<ChannelLevel>>(
          "logging", {ChannelLevel{}},
          "least level of lines: debug|info|warning|error, or none to leave the log alone; for "
          "one channel access:warning",
          with("LEVEL")),
      parser.define("log_to_stderr", false,
                    "send the log to standard error also when there is a file", group),
      parser.define("log_file_prefix", "",
                    "write the log to this file; old ones are called as it with a number or a "
                    "date behind",
                    with("PATH")),
      parser
          .define("log_file_max_size", ByteCount{100'000'000},
                  "put the file aside before it grows larger", group)
          .at_least(ByteCount{1}),
      parser.define("log_file_num_backups", 10U, "old files to keep", group),
      parser
          .define("log_rotate_when", "midnight",
                  "with --log-rotate-mode=time: S, M, H, D, W0-W6 or midnight", with("WHEN"))
          .check(
              [](const std::string& when) {
                return when == "S" || when == "M" || when == "H" || when == "D" ||
                       when == "midnight" ||
                       (when.size() == 2 && when[0] == 'W' && when[1] >= '0' && when[1] <= '6');
              },
              "is not one of S|M|H|D|W0-W6|midnight"),
      parser.define("log_rotate_interval", 1U, "every so many of those times", group).at_least(1),
      parser.define_choice("log_rotate_mode", log::Rotation::by_size,
                           {{"size", log::Rotation::by_size}, {"time", log::Rotation::by_time}},
                           "what puts the file aside", group),
      parser.define_choice("log_format", log::Format::text,
                           {{"text", log::Format::text}, {"json", log::Format::json}},
                           "one line of text, or one JSON object a line", group)};
  parser.add_parse_callback([options] { apply(options); });
}

}  // namespace squall
