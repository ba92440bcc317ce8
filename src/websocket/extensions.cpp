// SPDX-License-Identifier: Apache-2.0
#include "websocket/extensions.hpp"

#include "http/ascii.hpp"
#include "http/scan.hpp"
#include "http/tokens.hpp"

namespace squall::websocket {

bool ExtensionReader::next_extension() {
  while (in_extension_ && next_parameter()) {
  }
  if (malformed_) return false;
  for (;;) {  // empty elements (RFC 9110 §5.6.1)
    skip_blanks();
    if (rest_.empty()) return false;
    if (rest_.front() != ',') break;
    rest_.remove_prefix(1);
  }
  extension = take_token();
  if (extension.empty()) return fail();
  in_extension_ = true;
  return true;
}

bool ExtensionReader::next_parameter() {
  if (malformed_ || !in_extension_) return false;
  skip_blanks();
  if (rest_.empty() || rest_.front() == ',') {
    in_extension_ = false;
    return false;
  }
  if (rest_.front() != ';') return fail();
  rest_.remove_prefix(1);
  skip_blanks();
  name = take_token();
  if (name.empty()) return fail();
  skip_blanks();
  has_value = !rest_.empty() && rest_.front() == '=';
  value = {};
  if (!has_value) return true;
  rest_.remove_prefix(1);
  skip_blanks();
  if (!rest_.empty() && rest_.front() == '"') return read_quoted();
  value = take_token();
  return !value.empty() || fail();
}

// RFC 6455 §9.1: what is within the quotes must be a token after unescaping.
bool ExtensionReader::read_quoted() {
  unquoted_.clear();
  std::size_t at = 1;
  for (;; ++at) {
    if (at < rest_.size() && rest_[at] == '\\')
      ++at;
    else if (at < rest_.size() && rest_[at] == '"')
      break;
    if (at >= rest_.size()) return fail();
    unquoted_.push_back(rest_[at]);
  }
  rest_.remove_prefix(at + 1);
  if (!http::is_token(unquoted_)) return fail();
  value = unquoted_;
  return true;
}

std::string_view ExtensionReader::take_token() noexcept {
  const char* const begin = rest_.data();
  const char* const end = http::scan::skip_token(begin, begin + rest_.size());
  const std::string_view token(begin, static_cast<std::size_t>(end - begin));
  rest_.remove_prefix(token.size());
  return token;
}

void ExtensionReader::skip_blanks() noexcept {
  while (!rest_.empty() && http::ascii::is_blank(rest_.front())) rest_.remove_prefix(1);
}

bool ExtensionReader::fail() noexcept {
  malformed_ = true;
  in_extension_ = false;
  return false;
}

}  // namespace squall::websocket
