// SPDX-License-Identifier: Apache-2.0
#include "http/forwarded.hpp"

#include "http/ascii.hpp"

#include <utility>

namespace squall::http {
namespace {

bool is_quotable(char c) noexcept { return ascii::is(c, ascii::value); }

/// Reads the value of a Forwarded field from its begin to its end (RFC 7239 §4).
class ForwardedReader {
 public:
  explicit ForwardedReader(std::string_view text) noexcept : rest_(text) {}

  bool read(std::vector<ForwardedElement>& elements) {
    for (;;) {
      skip_blanks();
      ForwardedElement element;
      bool has_pairs = false;
      if (!read_element(element, has_pairs)) return false;
      if (has_pairs) elements.push_back(std::move(element));
      skip_blanks();
      if (rest_.empty()) return true;
      if (!take(',')) return false;
    }
  }

 private:
  // [ forwarded-pair ] *( ";" [ forwarded-pair ] )
  bool read_element(ForwardedElement& element, bool& has_pairs) {
    for (;;) {
      skip_blanks();
      if (!rest_.empty() && rest_.front() != ';' && rest_.front() != ',') {
        has_pairs = true;
        if (!read_pair(element)) return false;
        skip_blanks();
      }
      if (!take(';')) return true;
    }
  }

  bool read_pair(ForwardedElement& element) {
    const std::string_view name = token();
    if (name.empty() || !take('=')) return false;
    std::string value;
    if (take('"')) {
      if (!read_quoted(value)) return false;
    } else {
      const std::string_view text = token();
      if (text.empty()) return false;
      value = text;
    }
    struct Known {
      std::string_view name;
      std::string& value;
      unsigned bit;
    };
    const Known known[] = {{"for", element.forwarded_for, 1},
                           {"proto", element.proto, 2},
                           {"host", element.host, 4},
                           {"by", element.by, 8}};
    for (const Known& parameter : known) {
      if (!ascii::equal(name, parameter.name)) continue;
      // "Each parameter MUST NOT occur more than once per field-value" element.
      if ((seen_ & parameter.bit) != 0) return false;
      seen_ |= parameter.bit;
      parameter.value = std::move(value);
    }
    return true;
  }

  bool read_quoted(std::string& value) {
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\') {
        if (rest_.empty()) return false;
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      if (!is_quotable(c)) return false;
      value += c;
    }
    return false;
  }

  std::string_view token() noexcept {
    std::size_t size = 0;
    while (size < rest_.size() && ascii::is(rest_[size], ascii::token)) ++size;
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }

  bool take(char c) noexcept {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    if (c == ',') seen_ = 0;
    return true;
  }

  void skip_blanks() noexcept {
    while (!rest_.empty() && ascii::is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  std::string_view rest_;
  unsigned seen_ = 0;  // parameters of the present element
};

bool is_port(std::string_view text) noexcept {
  // Obfuscated ports ("_x") are allowed as well (RFC 7239 §6.3).
  if (text.empty()) return false;
  const bool hidden = text.front() == '_';
  for (const char c : text) {
    const bool fits =
        hidden ? ascii::is_alpha(c) || ascii::is_digit(c) || c == '.' || c == '_' || c == '-'
               : ascii::is_digit(c);
    if (!fits) return false;
  }
  return hidden || text.size() <= 5;
}

}  // namespace

bool parse_forwarded(std::string_view value, std::vector<ForwardedElement>& elements) {
  std::vector<ForwardedElement> found;
  if (!ForwardedReader(value).read(found)) return false;
  for (ForwardedElement& element : found) elements.push_back(std::move(element));
  return true;
}

std::string_view node_address(std::string_view node) noexcept {
  if (node.starts_with('[')) {
    const std::size_t close = node.find(']');
    if (close == std::string_view::npos) return {};
    const std::string_view behind = node.substr(close + 1);
    if (!behind.empty() && (behind.front() != ':' || !is_port(behind.substr(1)))) return {};
    const std::string_view address = node.substr(1, close - 1);
    return address.find(':') != std::string_view::npos ? address : std::string_view();
  }
  const std::size_t colon = node.find(':');
  std::string_view address = node;
  if (colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos) {
    if (!is_port(node.substr(colon + 1))) return {};
    address = node.substr(0, colon);
  }
  // Names and obfuscated identifiers are no addresses; what is left has digits, dots and colons.
  if (address.empty()) return {};
  for (const char c : address) {
    if (ascii::hex_value(c) < 0 && c != '.' && c != ':') return {};
  }
  return address;
}

std::string_view ReverseFieldList::next() noexcept {
  for (;;) {
    while (!rest_.empty()) {
      const std::size_t comma = rest_.rfind(',');
      const std::string_view element =
          ascii::trim(comma == std::string_view::npos ? rest_ : rest_.substr(comma + 1));
      rest_ = comma == std::string_view::npos ? std::string_view() : rest_.substr(0, comma);
      if (!element.empty()) return element;
    }
    do {
      if (field_ == 0) return {};
      --field_;
    } while (!ascii::equal(head_.field_name(field_), name_));
    rest_ = head_.field_value(field_);
  }
}

}  // namespace squall::http
