// SPDX-License-Identifier: Apache-2.0
#include "options/parser_impl.hpp"
#include "options/text.hpp"

#include <squall/options/parser.hpp>

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace squall {
namespace {

using detail::OptionCore;

/// Letters to insert, remove or change to make one name of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, change});
    }
  }
  return row.back();
}

std::string metavar_of(const OptionCore& option) {
  if (std::string choices = option.choices(); !choices.empty()) return choices;
  if (option.type_words == "a whole number" || option.type_words == "a number") return "N";
  if (option.type_words == "a duration") return "TIME";
  if (option.type_words == "a size") return "SIZE";
  if (option.type_words == "a date") return "DATE";
  return option.is_flag ? "" : "TEXT";
}

void check_name(std::string_view name) {
  const bool is_good = !name.empty() && name.front() != '-' && name.front() != '_' &&
                       std::ranges::all_of(name, [](char c) {
                         return ascii::is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
                       });
  if (is_good) return;
  throw UsageError("an option cannot be called '" + std::string(name) +
                   "'; names are letters, digits, '_', '-' and '.', and begin with one of the "
                   "first two");
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

void fill(OptionCore& option, std::string_view name, std::string_view help,
          const OptionSettings& settings) {
  option.name = name;
  option.help = help;
  option.metavar = settings.metavar.empty() ? metavar_of(option) : std::string(settings.metavar);
  option.environment = settings.environment;
  option.required = settings.required;
  option.secret = settings.secret;
  option.hidden = settings.hidden;
}

}  // namespace

OptionParser::OptionParser(const ProgramSettings& program) : impl_(new Impl) {
  impl_->name = program.name;
  impl_->description = program.description;
  impl_->version = program.version;
  impl_->interspersed = program.interspersed;
}

OptionParser::~OptionParser() { delete impl_; }

void OptionParser::add(OptionCore* option, std::string_view name, std::string_view help,
                       const OptionSettings& settings, const char* file, unsigned line) {
  std::unique_ptr<OptionCore> owned(option);
  check_name(name);
  fill(*option, name, help, settings);
  option->defined_at = std::string(last_part(file)) + ":" + std::to_string(line);
  option->group = settings.group.empty() ? last_part(file) : settings.group;
  const std::string key = options_text::key_of(name);
  if (key == "help" || key == "h" || (key == "version" && !impl_->version.empty())) {
    throw UsageError("--" + key + " is the parser's own option; choose another name");
  }
  const auto [at, is_new] = impl_->by_key.try_emplace(key, option);
  if (!is_new) {
    throw UsageError("option '" + key + "' is defined twice, at " + at->second->defined_at +
                     " and at " + option->defined_at +
                     "; an OptionParser of one's own keeps apart"
                     " what does not belong together");
  }
  impl_->options.push_back(std::move(owned));
}

void OptionParser::add_argument(OptionCore* option, std::string_view name, std::string_view help,
                                const OptionSettings& settings) {
  std::unique_ptr<OptionCore> owned(option);
  check_name(name);
  if (!impl_->arguments.empty() && impl_->arguments.back()->is_list) {
    throw UsageError("argument '" + impl_->arguments.back()->name +
                     "' takes all that is left; define it last");
  }
  fill(*option, name, help, settings);
  if (settings.metavar.empty()) {
    option->metavar = options_text::dashed(name);
    std::ranges::transform(option->metavar, option->metavar.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    });
  }
  impl_->arguments.push_back(std::move(owned));
}

Option<std::string> OptionParser::define_config_option(std::string_view name,
                                                       std::string_view help) {
  return define<std::string>(name, "", help, {.metavar = "FILE", .group = "general"})
      .on_set([this](const std::string& path) { parse_config_file(path, {.final = false}); });
}

OptionCore* OptionParser::Impl::lookup(std::string_view wanted) const noexcept {
  const auto found = by_key.find(options_text::key_of(wanted));
  return found == by_key.end() ? nullptr : found->second;
}

std::string OptionParser::Impl::hint(std::string_view wanted, std::string_view dashes) const {
  const std::string key = options_text::key_of(wanted);
  const OptionCore* best = nullptr;
  std::size_t least = std::max<std::size_t>(key.size() / 3, 2) + 1;
  for (const auto& [other, option] : by_key) {
    const std::size_t far = key.size() > 2 && other.starts_with(key) ? 0 : distance(key, other);
    if (option->hidden || far >= least) continue;
    best = option;
    least = far;
  }
  if (best == nullptr) return {};
  const std::string shown = dashes.empty() ? best->name : options_text::dashed(best->name);
  return "; did you mean " + std::string(dashes) + shown + "?";
}

void OptionParser::Impl::assign(OptionCore& option, detail::GivenValue given, unsigned run) {
  given.adds = option.is_list && option.run == run && option.source == given.source;
  option.assign(given);
  if (option.source == given.source) option.run = run;
}

void OptionParser::Impl::check_required() const {
  for (const auto& option : options) {
    if (option->required && option->source == OptionSource::default_value) {
      throw OptionError("--" + options_text::dashed(option->name) + " is required");
    }
  }
  for (const auto& argument : arguments) {
    if (argument->required && argument->source == OptionSource::default_value) {
      throw OptionError(argument->metavar + " is missing");
    }
  }
}

void OptionParser::add_parse_callback(MoveOnlyFunction<void()> callback) {
  impl_->callbacks.push_back(std::move(callback));
}

void OptionParser::run_parse_callbacks() {
  // By number: a callback may add others.
  for (std::size_t i = 0; i < impl_->callbacks.size(); ++i) {
    auto callback = std::move(impl_->callbacks[i]);
    callback();
    impl_->callbacks[i] = std::move(callback);
  }
}

bool OptionParser::contains(std::string_view name) const noexcept {
  return impl_->lookup(name) != nullptr;
}

OptionCore& OptionParser::core(std::string_view name, const std::type_info& type) const {
  OptionCore* const option = impl_->lookup(name);
  if (option == nullptr) {
    throw UsageError("there is no option '" + std::string(name) + "'" + impl_->hint(name, ""));
  }
  if (type != typeid(void) && option->type() != type) {
    throw UsageError("option '" + option->name + "' is " + (option->is_list ? "a list of " : "") +
                     std::string(option->type_words) + ", defined at " + option->defined_at +
                     "; it was asked for as another type");
  }
  return *option;
}

std::string OptionParser::text(std::string_view name) const {
  return core(name, typeid(void)).text();
}

void OptionParser::set(std::string_view name, std::string_view value) {
  OptionCore& option = core(name, typeid(void));
  option.assign({.text = value, .place = option.name});
}

std::map<std::string, std::string> OptionParser::as_dict() const {
  std::map<std::string, std::string> all;
  for (const auto& option : impl_->options) all.emplace(option->name, option->text());
  return all;
}

std::vector<std::pair<std::string, std::string>> OptionParser::items() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (auto& [name, value] : as_dict()) all.emplace_back(name, value);
  return all;
}

std::vector<std::string> OptionParser::groups() const {
  std::vector<std::string> all;
  for (const auto& option : impl_->options) {
    if (std::ranges::find(all, option->group) == all.end()) all.push_back(option->group);
  }
  return all;
}

std::map<std::string, std::string> OptionParser::group_dict(std::string_view group) const {
  std::map<std::string, std::string> all;
  for (const auto& option : impl_->options) {
    if (option->group == group) all.emplace(option->name, option->text());
  }
  return all;
}

OptionParser& options() {
  static OptionParser parser;
  return parser;
}

}  // namespace squall
