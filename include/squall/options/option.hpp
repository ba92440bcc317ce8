// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/function.hpp>
#include <squall/options/values.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace squall {

class OptionParser;

/// Where an option's value came from. A later one of this list is stronger, whatever was read
/// first: the command line goes before the environment, and that before configuration files.
enum class OptionSource : std::uint8_t {
  default_value,
  program,  ///< set(): anything that is read afterwards replaces it
  config_file,
  environment,
  command_line,
};

/// What else there is to say about an option, written by name.
struct OptionSettings {
  std::string_view metavar = {};      ///< what help calls the value; by default after its type
  std::string_view group = {};        ///< the heading in help; by default the file that defines it
  std::string_view environment = {};  ///< its variable; by default the prefix and its name
  bool required = false;              ///< parse_command_line() fails without a value
  bool secret = false;                ///< its value is shown neither by help nor by errors
  bool hidden = false;                ///< not in help
};
static_assert(std::is_trivially_destructible_v<OptionSettings>);

namespace detail {

/// A value as text, and where it stands.
struct GivenValue {
  std::string_view text;
  const std::vector<std::string>* items = nullptr;  // a list that is already split, or nullptr
  std::string_view place;                           // "--port", "app.conf:3: port", "SHOP_PORT"
  OptionSource source = OptionSource::program;
  bool adds = false;  // to a list that this source has begun
};

/// What an option is whatever its type.
class OptionCore {
 public:
  OptionCore() = default;
  OptionCore(const OptionCore&) = delete;
  OptionCore& operator=(const OptionCore&) = delete;
  virtual ~OptionCore();

  virtual void assign(const GivenValue& given) = 0;
  [[nodiscard]] virtual std::string text() const = 0;
  [[nodiscard]] virtual const std::type_info& type() const noexcept = 0;
  [[nodiscard]] virtual std::string choices() const = 0;
  virtual void reset() = 0;

  std::string name;  // as it was defined
  std::string help, metavar, group, environment, defined_at, default_text;
  std::string_view type_words;  // "a whole number"
  OptionSource source = OptionSource::default_value;
  unsigned run = 0;  // of the parser, that assigned it last
  bool is_flag = false, is_list = false, required = false, secret = false, hidden = false;

 protected:
  [[noreturn]] void refuse(const GivenValue& given, const OptionError& error) const;
};

/// The parts of `a,b,c`; "" has none. More than limits::option_values are refused.
std::vector<std::string> split_list(std::string_view text);
/// Both ends of `3-7`, `3:7` or `-3:-1`; false for what is no range.
bool split_range(std::string_view text, std::string_view& first, std::string_view& last);
[[noreturn]] void refuse_value(const std::string& why);
void check_list_size(std::size_t size);

template <class T>
struct ListTraits {
  static constexpr bool is_list = false;
  using Item = T;
};
template <class T>
struct ListTraits<std::vector<T>> {
  static_assert(!std::is_same_v<T, bool>, "there are no lists of flags");
  static constexpr bool is_list = true;
  using Item = T;
};

template <class T>
constexpr std::string_view type_words() {
  if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (std::is_integral_v<T>) {
    return "a whole number";
  } else if constexpr (std::is_floating_point_v<T>) {
    return "a number";
  } else if constexpr (std::is_same_v<T, Duration>) {
    return "a duration";
  } else if constexpr (std::is_same_v<T, ByteCount>) {
    return "a size";
  } else if constexpr (std::is_same_v<T, DateTime>) {
    return "a date";
  } else {
    return "text";
  }
}

template <class T>
class TypedOption final : public OptionCore {
 public:
  using Item = typename ListTraits<T>::Item;
  struct Check {
    MoveOnlyFunction<bool(const T&)> holds;
    std::string otherwise;
  };

  TypedOption(T initial, std::vector<std::pair<std::string, Item>> named)
      : value(std::move(initial)), names(std::move(named)), default_value(value) {
    is_flag = std::is_same_v<T, bool>;
    is_list = ListTraits<T>::is_list;
    type_words = detail::type_words<Item>();
    default_text = text();
  }

  void assign(const GivenValue& given) override {
    T next{};
    try {
      read(given, next);
    } catch (const OptionError& error) {
      refuse(given, error);
    }
    put(std::move(next), given);
  }

  /// Checks a value, and takes it unless a stronger one is there.
  void put(T next, const GivenValue& given) {
    for (Check& check : checks) {
      if (!check.holds(next)) refuse(given, OptionError(check.otherwise));
    }
    if (given.source < source && given.source != OptionSource::program) return;
    value = std::move(next);
    source = given.source;
    for (auto& callback : callbacks) callback(value);
  }

  [[nodiscard]] std::string text() const override {
    if constexpr (ListTraits<T>::is_list) {
      std::string all;
      for (const Item& item : value) {
        if (!all.empty()) all += ',';
        all += format(item);
      }
      return all;
    } else {
      return format(value);
    }
  }
  [[nodiscard]] const std::type_info& type() const noexcept override { return typeid(T); }
  [[nodiscard]] std::string choices() const override {
    std::string all;
    for (const auto& [word, item] : names) all += (all.empty() ? "" : "|") + word;
    return all;
  }
  void reset() override {
    value = default_value;
    source = OptionSource::default_value;
  }

  T value;
  std::vector<Check> checks;
  std::vector<MoveOnlyFunction<void(const T&)>> callbacks;

 private:
  void read(const GivenValue& given, T& into) const {
    if constexpr (ListTraits<T>::is_list) {
      if (given.adds) into = value;
      if (given.items != nullptr) {
        for (const std::string& item : *given.items) add(item, into);
      } else {
        for (const std::string& item : split_list(given.text)) add(item, into);
      }
    } else {
      if (given.items != nullptr) refuse_value("is a list where one value belongs");
      read_one(given.text, into);
    }
  }

  void add(std::string_view text, T& into) const {
    if constexpr (std::is_integral_v<Item>) {
      std::string_view ends[2];
      if (split_range(text, ends[0], ends[1])) {
        Item first{}, last{};
        read_one(ends[0], first);
        read_one(ends[1], last);
        if (last < first) refuse_value("is a range that ends before it begins");
        for (Item item = first;; ++item) {
          check_list_size(into.size());
          into.push_back(item);
          if (item == last) return;
        }
      }
    }
    check_list_size(into.size());
    Item item{};
    read_one(text, item);
    into.push_back(std::move(item));
  }

  void read_one(std::string_view text, Item& into) const {
    for (const auto& [word, item] : names) {
      if (word == text) {
        into = item;
        return;
      }
    }
    if (!names.empty()) refuse_value("is not one of " + choices());
    if constexpr (requires { parse_option(text, into); }) parse_option(text, into);
  }

  [[nodiscard]] std::string format(const Item& item) const {
    if constexpr (requires { item == item; }) {
      for (const auto& [word, named] : names) {
        if (named == item) return word;
      }
    }
    if constexpr (requires { format_option(item); }) return format_option(item);
    return {};
  }

  std::vector<std::pair<std::string, Item>> names;
  T default_value;
};

}  // namespace detail

/// An option that was defined, read like a pointer to its value: `*port`. It is a small copyable
/// handle, valid as long as the parser that defined it. Values change only on the thread that
/// parses or sets them; read them from others after that.
template <class T>
class Option {
 public:
  [[nodiscard]] const T& operator*() const noexcept { return option_->value; }
  [[nodiscard]] const T* operator->() const noexcept { return &option_->value; }
  [[nodiscard]] const std::string& name() const noexcept { return option_->name; }
  /// Whether anything but the default is its value.
  [[nodiscard]] bool is_set() const noexcept { return source() != OptionSource::default_value; }
  [[nodiscard]] OptionSource source() const noexcept { return option_->source; }

  /// Sets the value; throws OptionError for one that its checks refuse. The callbacks run.
  void set(T value) const {
    option_->put(std::move(value), {.text = "the value", .place = option_->name});
  }
  /// Puts the default back.
  void reset() const { option_->reset(); }

  /// Refuses values for which `holds` is false: "--rooms: '3' " and then `otherwise`, such as
  /// "is not even". Checks are run in order; the default is not checked.
  template <class F>
  Option check(F holds, std::string otherwise) const {
    option_->checks.push_back({std::move(holds), std::move(otherwise)});
    return *this;
  }
  Option at_least(T least) const {
    std::string text = "is less than " + format_option(least);
    return check([least](const T& value) { return !(value < least); }, std::move(text));
  }
  Option at_most(T most) const {
    std::string text = "is more than " + format_option(most);
    return check([most](const T& value) { return !(most < value); }, std::move(text));
  }
  /// Calls `f(value)` each time the option is given a value, in the order of the definitions.
  template <class F>
  Option on_set(F f) const {
    option_->callbacks.push_back(std::move(f));
    return *this;
  }

 private:
  friend class OptionParser;
  template <class>
  friend class ScopedOption;
  explicit Option(detail::TypedOption<T>& option) noexcept : option_(&option) {}

  detail::TypedOption<T>* option_;
};

/// Gives an option another value until the end of the scope, for tests. No callbacks run.
template <class T>
class ScopedOption {
 public:
  ScopedOption(Option<T> option, T value)
      : option_(option.option_), before_(std::exchange(option_->value, std::move(value))) {}
  ScopedOption(const ScopedOption&) = delete;
  ScopedOption& operator=(const ScopedOption&) = delete;
  ~ScopedOption() { option_->value = std::move(before_); }

 private:
  detail::TypedOption<T>* option_;
  T before_;
};

}  // namespace squall
