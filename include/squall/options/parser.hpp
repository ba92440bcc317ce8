// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/options/option.hpp>

#include <cstddef>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace squall {

/// Thrown by parse_command_line() for --help and --version; what() is the text to print.
class OptionExit : public Error {
 public:
  using Error::Error;
};

/// What a name that nobody defined means.
enum class UnknownOptions : std::uint8_t { error, ignore };

/// How to parse, written by name.
struct ParseSettings {
  bool final = true;  ///< run the parse callbacks at the end; false when more will be parsed
  /// In a configuration file. On a command line an unknown name is always an error; in the
  /// environment it is one only with `error` given to parse_environment().
  UnknownOptions unknown = UnknownOptions::error;
};

/// What a program calls itself, written by name.
struct ProgramSettings {
  std::string_view name = {};         ///< by default the last part of argv[0]
  std::string_view description = {};  ///< a sentence or two under the usage line
  std::string_view version = {};      ///< defines --version
  bool interspersed = false;          ///< options may stand after arguments, too
};
static_assert(std::is_trivially_destructible_v<ProgramSettings>);

/// One choice of an option: its name and what it stands for.
template <class T>
struct OptionChoice {
  std::string_view name;
  T value;
};

namespace detail {
// "text" as a default makes an option of std::string.
template <class T>
struct StoredOption {
  using type = T;
};
template <>
struct StoredOption<const char*> {
  using type = std::string;
};
template <>
struct StoredOption<std::string_view> {
  using type = std::string;
};
}  // namespace detail

/// The options of one program, or of one of its commands.
///
///     OptionParser parser({.description = "Sells things."});
///     const auto port = parser.define<std::uint16_t>("port", 8888, "listen on this port");
///     parser.parse_command_line_or_exit(argc, argv);
///     app.listen(*port);
///
/// Names are told apart neither by `-` and `_` nor by how often they are asked for: `log_file` is
/// `--log-file`. Nothing here is global but what options() returns. Not for several threads at
/// once.
class OptionParser {
 public:
  explicit OptionParser(const ProgramSettings& program = {});
  OptionParser(const OptionParser&) = delete;
  OptionParser& operator=(const OptionParser&) = delete;
  ~OptionParser();

  /// Defines an option of type T: bool, any integer, double, float, std::string, Duration,
  /// ByteCount, DateTime, a type with parse_option() of its own, or a std::vector of one.
  ///
  /// Flags are `--name`, `--no-name` or `--name=false`. Lists are `--name=a,b`, and a name that is
  /// given again adds to them; integers may be ranges, `1-5` or `1:5`, with both ends.
  /// Throws UsageError for a name that is taken or malformed; it says who took it.
  template <class T>
  Option<typename detail::StoredOption<T>::type> define(std::string_view name, T default_value,
                                                        std::string_view help = {},
                                                        const OptionSettings& settings = {},
                                                        const char* file = __builtin_FILE(),
                                                        unsigned line = __builtin_LINE()) {
    using Stored = typename detail::StoredOption<T>::type;
    auto* option = new detail::TypedOption<Stored>(Stored(std::move(default_value)), {});
    add(option, name, help, settings, file, line);
    return Option<Stored>(*option);
  }

  /// Defines an option that is one of some names, of an enum or of anything else:
  /// `define_choice("mode", Mode::fast, {{"fast", Mode::fast}, {"safe", Mode::safe}}, "...")`.
  template <class T>
  Option<T> define_choice(std::string_view name, T default_value,
                          std::initializer_list<OptionChoice<std::type_identity_t<T>>> choices,
                          std::string_view help = {}, const OptionSettings& settings = {},
                          const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
    auto* option = new detail::TypedOption<T>(std::move(default_value), named<T>(choices));
    add(option, name, help, settings, file, line);
    return Option<T>(*option);
  }

  /// Defines what stands on the command line without a name, in the order of definition. A list
  /// takes all that is left. `{.required = true}` makes its absence an error.
  template <class T>
  Option<typename detail::StoredOption<T>::type> argument(std::string_view name, T default_value,
                                                          std::string_view help = {},
                                                          const OptionSettings& settings = {}) {
    using Stored = typename detail::StoredOption<T>::type;
    auto* option = new detail::TypedOption<Stored>(Stored(std::move(default_value)), {});
    add_argument(option, name, help, settings);
    return Option<Stored>(*option);
  }

  /// Defines an option whose value is the path of a configuration file, read at once when it is
  /// given.
  Option<std::string> define_config_option(std::string_view name = "config",
                                           std::string_view help = "read options from this file");

  /// Parses `--name=value`, `--name value`, `--flag` and `--no-flag`; one dash does as well. Stops
  /// at the first argument that is no option, and after `--`. argv[0] is the program's name.
  /// Returns what argument() did not take.
  ///
  /// Throws OptionError, and OptionExit for --help, -h and --version.
  std::vector<std::string> parse_command_line(int argc, const char* const* argv,
                                              const ParseSettings& settings = {});
  std::vector<std::string> parse_command_line(const std::vector<std::string>& arguments,
                                              const ParseSettings& settings = {});

  /// The same for main(): prints help and version and exits with 0; for an error, and for
  /// arguments that nothing takes, prints a line and exits with 2.
  void parse_command_line_or_exit(int argc, const char* const* argv);

  /// Reads lines `name = value` from a file. Values are bare or quoted; `"..."` knows `\n`, `\t`,
  /// `\"`, `\\` and `\xNN`, `'...'` nothing; lists are `[a, "b"]` or `a,b`. A comment begins with
  /// `#` or `;` at the start of a line or after a space. Nothing in it is executed. What it sets
  /// is weaker than the command line and the environment, whichever was read first.
  ///
  /// Throws OptionError, with the line: for a file that cannot be read or is larger than
  /// limits::config_file_bytes, a malformed line, a name that nobody defined.
  void parse_config_file(const std::string& path, const ParseSettings& settings = {});
  /// The same from memory; `path` is what errors call it.
  void parse_config_text(std::string_view text, const std::string& path,
                         const ParseSettings& settings = {});

  /// Reads variables named `prefix` and the option's name in capitals: SHOP_LOG_FILE. Stronger
  /// than configuration files, weaker than the command line. With UnknownOptions::error any other
  /// variable that begins with the prefix throws OptionError.
  void parse_environment(std::string_view prefix,
                         const ParseSettings& settings = {.unknown = UnknownOptions::ignore});

  /// Adds what run_parse_callbacks() runs: once at the end of each parse that is `final`.
  void add_parse_callback(MoveOnlyFunction<void()> callback);
  void run_parse_callbacks();

  /// Help, grouped, 79 columns wide.
  [[nodiscard]] std::string help() const;
  /// Writes help() to standard output.
  void print_help() const;

  [[nodiscard]] bool contains(std::string_view name) const noexcept;
  /// Finds an option by name. Throws UsageError for one that nobody defined, or of another type.
  template <class T>
  [[nodiscard]] Option<T> find(std::string_view name) const {
    return Option<T>(static_cast<detail::TypedOption<T>&>(core(name, typeid(T))));
  }
  template <class T>
  [[nodiscard]] const T& get(std::string_view name) const {
    return *find<T>(name);
  }
  /// Its value as text. Throws UsageError for a name that nobody defined.
  [[nodiscard]] std::string text(std::string_view name) const;
  /// Sets it from text. Throws UsageError for an unknown name, OptionError for a wrong value.
  void set(std::string_view name, std::string_view text);

  /// All options as text, by name, without help and version. Secrets are among them.
  [[nodiscard]] std::map<std::string, std::string> as_dict() const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> items() const;
  [[nodiscard]] std::vector<std::string> groups() const;
  /// Those of one group; empty for a group that there is not.
  [[nodiscard]] std::map<std::string, std::string> group_dict(std::string_view group) const;

 private:
  struct Impl;

  template <class T>
  static auto named(std::initializer_list<OptionChoice<T>> choices) {
    std::vector<std::pair<std::string, T>> result;
    for (const auto& choice : choices) result.emplace_back(std::string(choice.name), choice.value);
    return result;
  }

  // Both take ownership, also when they throw.
  void add(detail::OptionCore* option, std::string_view name, std::string_view help,
           const OptionSettings& settings, const char* file, unsigned line);
  void add_argument(detail::OptionCore* option, std::string_view name, std::string_view help,
                    const OptionSettings& settings);
  [[nodiscard]] detail::OptionCore& core(std::string_view name, const std::type_info& type) const;

  Impl* impl_;
};

/// The parser of programs that define options wherever they use them, as with tornado.options.
/// Nothing in the library uses it.
OptionParser& options();

}  // namespace squall
