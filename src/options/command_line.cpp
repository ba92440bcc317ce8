// SPDX-License-Identifier: Apache-2.0
#include "options/parser_impl.hpp"
#include "options/text.hpp"

#include <cstdio>
#include <cstdlib>

namespace squall {
namespace {

using detail::OptionCore;

/// "-" is a file's name, and "-5" a number.
bool is_option(std::string_view argument) {
  return argument.size() > 1 && argument[0] == '-' && !ascii::is_digit(argument[1]) &&
         argument[1] != '.';
}

/// `noname` and `no-name`, for flags.
std::string_view without_no(std::string_view name) {
  if (!name.starts_with("no")) return {};
  name.remove_prefix(2);
  if (name.starts_with('-') || name.starts_with('_')) name.remove_prefix(1);
  return name;
}

std::string_view program_name(const char* path) {
  const std::string_view text = path == nullptr ? "" : path;
  return text.substr(text.rfind('/') + 1);
}

}  // namespace

std::vector<std::string> OptionParser::parse_command_line(int argc, const char* const* argv,
                                                          const ParseSettings& settings) {
  if (argc > 0 && impl_->name.empty()) impl_->name = program_name(argv[0]);
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) arguments.emplace_back(argv[i]);
  return parse_command_line(arguments, settings);
}

std::vector<std::string> OptionParser::parse_command_line(const std::vector<std::string>& arguments,
                                                          const ParseSettings& settings) {
  const unsigned run = ++impl_->runs;
  std::vector<std::string> rest;
  const auto give = [&](OptionCore& option, std::string_view text, const std::string& place) {
    Impl::assign(option, {.text = text, .place = place, .source = OptionSource::command_line}, run);
  };
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--" || (!is_option(argument) && !impl_->interspersed)) {
      const std::size_t first = argument == "--" ? i + 1 : i;
      rest.insert(rest.end(), arguments.begin() + static_cast<std::ptrdiff_t>(first),
                  arguments.end());
      break;
    }
    if (!is_option(argument)) {
      rest.push_back(argument);
      continue;
    }
    const std::string_view body = std::string_view(argument).substr(argument[1] == '-' ? 2 : 1);
    const std::size_t equals = body.find('=');
    const std::string_view name = body.substr(0, equals);
    const bool has_value = equals != std::string_view::npos;
    const std::string_view value = has_value ? body.substr(equals + 1) : std::string_view();
    const std::string place = "--" + options_text::dashed(name);
    if (name == "help" || name == "h") throw OptionExit(help());
    if (name == "version" && !impl_->version.empty()) {
      throw OptionExit(impl_->name + " " + impl_->version + "\n");
    }

    OptionCore* option = impl_->lookup(name);
    if (option == nullptr) {
      option = impl_->lookup(without_no(name));
      if (option == nullptr || !option->is_flag) {
        throw OptionError("unknown option " + place + impl_->hint(name, "--"));
      }
      if (has_value) throw OptionError(place + " takes no value");
      give(*option, "false", place);
    } else if (has_value || option->is_flag) {
      give(*option, has_value ? value : "true", place);
    } else if (i + 1 == arguments.size()) {
      throw OptionError(place + " needs a value");
    } else if (is_option(arguments[i + 1])) {
      throw OptionError(place + " needs a value; one that begins with a dash is written " + place +
                        "=" + arguments[i + 1]);
    } else {
      give(*option, arguments[++i], place);
    }
  }

  std::size_t taken = 0;
  for (const auto& argument : impl_->arguments) {
    while (taken < rest.size()) {
      detail::GivenValue given{
          .text = rest[taken], .place = argument->metavar, .source = OptionSource::command_line};
      const std::vector<std::string> whole{rest[taken]};
      if (argument->is_list) given.items = &whole;  // a comma in a file's name is one
      Impl::assign(*argument, given, run);
      ++taken;
      if (!argument->is_list) break;
    }
  }
  rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(taken));
  if (settings.final) {
    impl_->check_required();
    run_parse_callbacks();
  }
  return rest;
}

void OptionParser::parse_command_line_or_exit(int argc, const char* const* argv) {
  try {
    const std::vector<std::string> rest = parse_command_line(argc, argv, {.final = false});
    if (!rest.empty()) {
      throw OptionError("unexpected argument '" + rest.front() + "'" +
                        (is_option(rest.front()) ? "; options go before arguments" : ""));
    }
    impl_->check_required();
    run_parse_callbacks();
  } catch (const OptionExit& asked) {
    std::fputs(asked.what(), stdout);
    std::exit(0);
  } catch (const OptionError& error) {
    std::fprintf(stderr, "%s: %s; see %s --help\n", impl_->name.c_str(), error.what(),
                 impl_->name.c_str());
    std::exit(2);
  }
}

}  // namespace squall
