// SPDX-License-Identifier: Apache-2.0
#include "options/parser_impl.hpp"
#include "options/text.hpp"

#include <algorithm>
#include <map>
#include <unistd.h>

namespace squall {
namespace {

std::string variable_of(const detail::OptionCore& option, std::string_view prefix) {
  if (!option.environment.empty()) return option.environment;
  std::string name(prefix);
  for (const char c : option.name) {
    name.push_back(ascii::is_alpha(c)   ? static_cast<char>(ascii::lower(c) - 32)
                   : ascii::is_digit(c) ? c
                                        : '_');
  }
  return name;
}

}  // namespace

void OptionParser::parse_environment(std::string_view prefix, const ParseSettings& settings) {
  const unsigned run = ++impl_->runs;
  std::map<std::string_view, std::string_view> variables;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  // First which they are: a callback may change the environment.
  std::map<std::string, std::pair<detail::OptionCore*, std::string>> given;
  for (const auto& option : impl_->options) {
    const std::string name = variable_of(*option, prefix);
    const auto found = variables.find(name);
    if (found != variables.end()) given[name] = {option.get(), std::string(found->second)};
  }
  if (settings.unknown == UnknownOptions::error && !prefix.empty()) {
    for (const auto& [name, value] : variables) {
      if (name.starts_with(prefix) && !given.contains(std::string(name))) {
        std::string wanted(name.substr(prefix.size()));
        ascii::make_lower(wanted);
        throw OptionError("the variable " + std::string(name) + " sets no option" +
                          impl_->hint(wanted, ""));
      }
    }
  }
  for (auto& [name, pair] : given) {
    Impl::assign(*pair.first,
                 {.text = pair.second, .place = name, .source = OptionSource::environment}, run);
  }
  if (settings.final) run_parse_callbacks();
}

}  // namespace squall
