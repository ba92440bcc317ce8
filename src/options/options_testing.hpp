// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/options/parser.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace squall {

/// The words of the exception that `f` ends with; "nothing was thrown" when it does not.
template <class Exception, class F>
std::string thrown(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// What a command line is refused with.
inline std::string refusal(OptionParser& parser, std::vector<std::string> arguments) {
  return thrown<OptionError>([&] { parser.parse_command_line(arguments); });
}

}  // namespace squall
