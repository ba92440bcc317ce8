// SPDX-License-Identifier: Apache-2.0
#include "http/parameters.hpp"

#include "http/ascii.hpp"
#include "http/tokens.hpp"

#include <algorithm>

namespace squall::http {

bool ParameterReader::next() {
  do {
    skip_blanks();
    if (rest_.empty()) return false;
    if (rest_.front() != ';') return fail();
    rest_.remove_prefix(1);
    skip_blanks();
  } while (rest_.empty() || rest_.front() == ';');
  const std::size_t equals = rest_.find('=');
  if (equals == std::string_view::npos) return fail();
  name = ascii::trim(rest_.substr(0, equals));
  if (!is_token(name)) return fail();
  rest_.remove_prefix(equals + 1);
  skip_blanks();
  if (!rest_.empty() && rest_.front() == '"') return read_quoted();
  const std::size_t end = std::min(rest_.find(';'), rest_.size());
  value.assign(ascii::trim(rest_.substr(0, end)));
  rest_.remove_prefix(end);
  return true;
}

bool ParameterReader::fail() noexcept {
  malformed_ = true;
  return false;
}

void ParameterReader::skip_blanks() noexcept {
  while (!rest_.empty() && ascii::is_blank(rest_.front())) rest_.remove_prefix(1);
}

bool ParameterReader::read_quoted() {
  rest_.remove_prefix(1);
  value.clear();
  while (!rest_.empty() && rest_.front() != '"') {
    const std::size_t run = rest_.find_first_of("\\\"");
    if (run == std::string_view::npos) return fail();
    value.append(rest_.substr(0, run));
    rest_.remove_prefix(run);
    if (rest_.front() != '\\') continue;
    // "C:\dir\" of an old browser ends at a quote behind a backslash, since no other follows.
    const std::size_t next_at = size_ - rest_.size() + 1;
    const bool escapes =
        rest_.size() > 1 && (rest_[1] == '\\' || (rest_[1] == '"' && next_at != last_quote_));
    if (escapes) rest_.remove_prefix(1);
    value.push_back(rest_.front());
    rest_.remove_prefix(1);
  }
  if (rest_.empty()) return fail();
  rest_.remove_prefix(1);
  return true;
}

}  // namespace squall::http
