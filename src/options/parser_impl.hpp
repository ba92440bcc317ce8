// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/options/parser.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace squall {

struct OptionParser::Impl {
  detail::OptionCore* lookup(std::string_view name) const noexcept;
  /// "; did you mean --port?", or nothing when no name is like this one.
  std::string hint(std::string_view name, std::string_view dashes) const;
  /// Assigns, and keeps in mind that this run of a parser has done so.
  static void assign(detail::OptionCore& option, detail::GivenValue given, unsigned run);
  void check_required() const;

  std::string name, description, version;
  bool interspersed = false;
  std::vector<std::unique_ptr<detail::OptionCore>> options;    // in the order of definition
  std::vector<std::unique_ptr<detail::OptionCore>> arguments;  // the same
  std::map<std::string, detail::OptionCore*> by_key;           // `-` is `_` in a key
  std::vector<MoveOnlyFunction<void()>> callbacks;
  unsigned runs = 0;
};

}  // namespace squall
