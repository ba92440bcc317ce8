// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"
#include "options/parser_impl.hpp"
#include "options/text.hpp"

#include <squall/base/limits.hpp>

#include <cerrno>
#include <cstdio>
#include <set>
#include <system_error>

namespace squall {
namespace {

using options_text::trim;

/// One value of a line: its text, or the items of a list.
struct Value {
  std::string text;
  std::vector<std::string> items;
  bool is_list = false;
};

/// Reads what stands after the `=`.
class ValueReader {
 public:
  ValueReader(std::string_view text, const std::string& place) : rest_(text), place_(place) {}

  Value read() {
    Value value;
    skip_blanks();
    if (take('[')) {
      value.is_list = true;
      read_items(value.items);
    } else {
      value.text = at_quote() ? quoted() : bare(false);
    }
    skip_blanks();
    if (!rest_.empty() && !is_comment(rest_)) {
      fail("there is something after the value: '" + std::string(rest_) + "'");
    }
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw OptionError(place_ + ": " + why); }

  static bool is_comment(std::string_view text) {
    return text.starts_with('#') || text.starts_with(';');
  }
  void skip_blanks() {
    while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool at_quote() const { return rest_.starts_with('"') || rest_.starts_with('\''); }

  void read_items(std::vector<std::string>& items) {
    for (;;) {
      skip_blanks();
      if (take(']')) return;
      if (rest_.empty() || is_comment(rest_)) fail("the list does not end in this line");
      items.push_back(at_quote() ? quoted() : bare(true));
      skip_blanks();
      if (rest_.empty()) continue;
      if (!take(',') && !rest_.starts_with(']')) fail("a list has a ',' between its values");
    }
  }

  std::string bare(bool in_list) {
    std::size_t size = 0;
    for (; size < rest_.size(); ++size) {
      if (in_list && (rest_[size] == ',' || rest_[size] == ']')) break;
      const bool after_blank = size == 0 || rest_[size - 1] == ' ' || rest_[size - 1] == '\t';
      if (after_blank && is_comment(rest_.substr(size))) break;
    }
    const std::string text(trim(rest_.substr(0, size)));
    rest_.remove_prefix(size);
    return text;
  }

  std::string quoted() {
    const char quote = rest_.front();
    rest_.remove_prefix(1);
    std::string text;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == quote) return text;
      text.push_back(c == '\\' && quote == '"' ? escaped() : c);
    }
    fail(std::string("a ") + quote + " is not closed");
  }

  char escaped() {
    const char c = rest_.empty() ? '\0' : rest_.front();
    if (!rest_.empty()) rest_.remove_prefix(1);
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case '"':
      case '\\':
        return c;
      case 'x':
        return static_cast<char>(hex_digit() * 16 + hex_digit());
      default:
        fail(
            "in double quotes a '\\' goes before n, r, t, \", \\ or xNN; in single quotes it is "
            "itself");
    }
  }

  int hex_digit() {
    const int value = rest_.empty() ? -1 : ascii::hex_value(rest_.front());
    if (!rest_.empty()) rest_.remove_prefix(1);
    if (value >= 0) return value;
    fail("'\\x' goes before two hexadecimal digits");
  }

  std::string_view rest_;
  const std::string& place_;
};

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string read_file(const std::string& path) {
  const auto fail = [&](const std::string& why) -> OptionError {
    return OptionError("cannot read the configuration file " + path + ": " + why);
  };
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) throw fail(std::generic_category().message(errno));
  std::string text(limits::config_file_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) throw fail(std::generic_category().message(errno));
  if (text.size() > limits::config_file_bytes) {
    throw fail("it is larger than " + std::to_string(limits::config_file_bytes) + " bytes");
  }
  return text;
}

}  // namespace

void OptionParser::parse_config_file(const std::string& path, const ParseSettings& settings) {
  parse_config_text(read_file(path), path, settings);
}

void OptionParser::parse_config_text(std::string_view text, const std::string& path,
                                     const ParseSettings& settings) {
  const unsigned run = ++impl_->runs;
  std::set<const detail::OptionCore*> seen;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (unsigned number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;

    const std::string at = path + ":" + std::to_string(number);
    if (!is_utf8(line)) throw OptionError(at + ": this is not UTF-8");
    if (line.starts_with('[')) {
      throw OptionError(at + ": '" + std::string(line) +
                        "' would begin a section; there are none, every line is name = value");
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      throw OptionError(at + ": '" + std::string(line) + "' is not of the form name = value");
    }
    const std::string name(trim(line.substr(0, equals)));
    detail::OptionCore* const option = impl_->lookup(name);
    if (option == nullptr) {
      if (settings.unknown == UnknownOptions::ignore) continue;
      throw OptionError(at + ": unknown option '" + name + "'" + impl_->hint(name, ""));
    }
    const std::string place = at + ": " + name;
    if (!seen.insert(option).second && !option->is_list) {
      throw OptionError(place + " is set twice in this file");
    }
    const Value value = ValueReader(line.substr(equals + 1), place).read();
    Impl::assign(*option,
                 {.text = value.text,
                  .items = value.is_list ? &value.items : nullptr,
                  .place = place,
                  .source = OptionSource::config_file},
                 run);
  }
  if (settings.final) run_parse_callbacks();
}

}  // namespace squall
