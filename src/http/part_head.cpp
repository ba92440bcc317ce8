// SPDX-License-Identifier: Apache-2.0
#include "http/part_head.hpp"

#include "base/utf8.hpp"
#include "http/ascii.hpp"
#include "http/parameters.hpp"
#include "http/percent.hpp"
#include "http/tokens.hpp"

#include <optional>
#include <utility>

namespace squall::http {
namespace {

constexpr std::string_view line_end = "\r\n";

// https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
std::string undo_html_escapes(std::string&& text) {
  if (text.find('%') == std::string::npos) return std::move(text);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view here = std::string_view(text).substr(i, 3);
    const char meant = here == "%22" ? '"' : here == "%0D" ? '\r' : here == "%0A" ? '\n' : '\0';
    out.push_back(meant != '\0' ? meant : text[i]);
    if (meant != '\0') i += 2;
  }
  return out;
}

/// An ext-value: charset, language, percent-encoded bytes (RFC 8187 §3.2.1).
std::optional<std::string> extended_value(std::string_view text) {
  const std::size_t charset_end = text.find('\'');
  if (charset_end == std::string_view::npos) return {};
  const std::size_t language_end = text.find('\'', charset_end + 1);
  if (language_end == std::string_view::npos) return {};
  const std::string_view charset = text.substr(0, charset_end);
  const std::string bytes = percent_decode(text.substr(language_end + 1));
  if (bytes.find('\0') != std::string::npos) return {};
  if (ascii::equal(charset, "UTF-8")) {
    if (!is_utf8(bytes)) return {};
    return bytes;
  }
  if (!ascii::equal(charset, "ISO-8859-1")) return {};
  std::string utf8;
  for (const char c : bytes) append_utf8(utf8, static_cast<unsigned char>(c));
  return utf8;
}

/// Splits a line without its end into name and value; false when it is no field (RFC 9112 §5).
bool split_field(std::string_view line, std::string_view& name, std::string_view& value) noexcept {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  name = line.substr(0, colon);
  value = ascii::trim(line.substr(colon + 1));
  return is_token(name) && is_field_value(value);
}

}  // namespace

bool parse_content_disposition(std::string_view value, ContentDisposition& out) {
  out.name.clear();
  out.filename.clear();
  out.has_name = out.has_filename = false;
  const std::size_t type_end = value.find(';');
  out.type = ascii::trim(value.substr(0, type_end));
  if (!is_token(out.type)) return false;
  if (type_end == std::string_view::npos) return true;
  bool has_plain = false;
  bool has_extended = false;
  bool use_extended = false;
  ParameterReader parameters(value.substr(type_end));
  while (parameters.next()) {
    if (ascii::equal(parameters.name, "name")) {
      if (out.has_name) return false;
      out.has_name = true;
      out.name = undo_html_escapes(std::move(parameters.value));
    } else if (ascii::equal(parameters.name, "filename")) {
      if (has_plain) return false;
      has_plain = true;
      if (!use_extended) out.filename = undo_html_escapes(std::move(parameters.value));
    } else if (ascii::equal(parameters.name, "filename*")) {
      if (has_extended) return false;
      has_extended = true;
      std::optional<std::string> decoded = extended_value(parameters.value);
      if (!decoded) continue;
      use_extended = true;
      out.filename = std::move(*decoded);
    }
  }
  out.has_filename = has_plain || use_extended;
  return !parameters.is_malformed();
}

void PartHead::clear() noexcept {
  text_.clear();
  line_at_ = 0;
}

PartHead::Fault PartHead::parse(std::size_t max_fields) {
  std::string_view rest = text_;
  std::string_view disposition;
  bool found = false;
  std::size_t count = 0;
  while (rest != line_end) {
    const std::string_view line = rest.substr(0, rest.find(line_end));
    rest.remove_prefix(line.size() + line_end.size());
    std::string_view name;
    std::string_view value;
    if (!split_field(line, name, value)) return Fault::malformed;
    if (++count > max_fields) return Fault::too_many_fields;
    if (!ascii::equal(name, "Content-Disposition")) continue;
    if (found) return Fault::disposition;
    found = true;
    disposition = value;
  }
  const bool good = found && parse_content_disposition(disposition, disposition_) &&
                    ascii::equal(disposition_.type, "form-data") && disposition_.has_name;
  disposition_.type = {};
  return good ? Fault::none : Fault::disposition;
}

std::string_view PartHead::field(std::string_view wanted) const noexcept {
  std::string_view rest = text_;
  while (rest.size() > line_end.size()) {
    const std::string_view line = rest.substr(0, rest.find(line_end));
    rest.remove_prefix(line.size() + line_end.size());
    std::string_view name;
    std::string_view value;
    if (split_field(line, name, value) && ascii::equal(name, wanted)) return value;
  }
  return {};
}

}  // namespace squall::http
