// SPDX-License-Identifier: Apache-2.0
#include "options/parser_impl.hpp"
#include "options/text.hpp"

#include <algorithm>
#include <cstdio>

namespace squall {
namespace {

using detail::OptionCore;

constexpr std::size_t page_columns = 79;
constexpr std::size_t help_column = 30;
constexpr std::size_t gap = 2;

/// Characters, as far as a terminal shows each in one column.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Adds words with line breaks, each further line from `column` on. `at` is where the first begins.
void add_wrapped(std::string& out, std::string_view text, std::size_t column, std::size_t at) {
  bool is_first = true;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(" \n");
    const std::string_view word = text.substr(0, end);
    const bool breaks = end != std::string_view::npos && text[end] == '\n';
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!is_first && at + 1 + width(word) > page_columns) {
      out.append("\n").append(column, ' ');
      at = column;
    } else if (!is_first && at > column) {
      out.push_back(' ');
      ++at;
    }
    out.append(word);
    at += width(word);
    is_first = false;
    if (breaks) {
      out.append("\n").append(column, ' ');
      at = column;
    }
  }
  out.push_back('\n');
}

void add_line(std::string& out, const std::string& left, const std::string& help) {
  out.append(gap, ' ').append(left);
  std::size_t at = gap + width(left);
  if (help.empty()) {
    out.push_back('\n');
    return;
  }
  if (at + gap > help_column) {
    out.push_back('\n');
    at = 0;
  }
  out.append(help_column - at, ' ');
  add_wrapped(out, help, help_column, help_column);
}

std::string words_of(const OptionCore& option, bool is_argument) {
  std::string words = option.help;
  const auto add = [&](const std::string& note) {
    words += (words.empty() ? "(" : " (") + note + ")";
  };
  const std::string choices = option.choices();
  if (!choices.empty() && option.metavar != choices) add("one of " + choices);
  if (option.required) {
    if (!is_argument) add("required");
  } else if (!option.default_text.empty() && !(option.is_flag && option.default_text == "false")) {
    add("default: " + (option.secret ? std::string("not shown") : option.default_text));
  }
  if (!option.environment.empty()) add("environment: " + option.environment);
  return words;
}

}  // namespace

std::string OptionParser::help() const {
  std::string out = "usage: " + (impl_->name.empty() ? "program" : impl_->name) + " [options]";
  for (const auto& argument : impl_->arguments) {
    const std::string name = argument->metavar + (argument->is_list ? "..." : "");
    out += argument->required ? " " + name : " [" + name + "]";
  }
  out += "\n";
  if (!impl_->description.empty()) {
    out += "\n";
    add_wrapped(out, impl_->description, 0, 0);
  }
  if (!impl_->arguments.empty()) out += "\narguments:\n";
  for (const auto& argument : impl_->arguments) {
    add_line(out, argument->metavar, words_of(*argument, true));
  }
  for (const std::string& group : groups()) {
    std::string lines;
    for (const auto& option : impl_->options) {
      if (option->hidden || option->group != group) continue;
      const std::string name = options_text::dashed(option->name);
      const std::string left =
          option->is_flag ? "--[no-]" + name : "--" + name + "=" + option->metavar;
      add_line(lines, left, words_of(*option, false));
    }
    if (!lines.empty()) out += "\n" + group + " options:\n" + lines;
  }
  out += "\nother options:\n";
  add_line(out, "--help", "print this text");
  if (!impl_->version.empty()) add_line(out, "--version", "print the version");
  return out;
}

void OptionParser::print_help() const { std::fputs(help().c_str(), stdout); }

}  // namespace squall
