// SPDX-License-Identifier: Apache-2.0
#include "realtime/nats_names.hpp"

#include "base/ascii.hpp"

#include <squall/base/error.hpp>

namespace squall::realtime {
namespace {

bool is_word(char c) noexcept { return ascii::is_alphanumeric(c) || c == '-' || c == '_'; }

}  // namespace

std::string nats_token(std::string_view channel) {
  constexpr std::string_view as_it_is = ":/@+,;!~";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string token;
  token.reserve(channel.size() + 8);
  for (const char c : channel) {
    if (is_word(c) || as_it_is.find(c) != std::string_view::npos) {
      token += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    token += '=';
    token += digits[byte >> 4];
    token += digits[byte & 15];
  }
  return token;
}

void check_nats_prefix(std::string_view prefix) {
  bool is_good = !prefix.empty() && prefix.size() <= 100 && prefix.back() != '.';
  char before = '.';
  for (const char c : prefix) {
    is_good = is_good && (is_word(c) || (c == '.' && before != '.'));
    before = c;
  }
  if (!is_good) {
    throw UsageError(
        "the prefix of a NATS broker is words of letters, digits, '-' and '_', with dots between "
        "them");
  }
}

}  // namespace squall::realtime
