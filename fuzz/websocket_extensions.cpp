// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "http/tokens.hpp"
#include "websocket/deflate_negotiation.hpp"
#include "websocket/extensions.hpp"

#include <string>
#include <vector>

// Lines are Sec-WebSocket-Extensions fields, which a server takes for offers and a client for an
// answer. Names and values are tokens, and what a server answers its client takes for the same.

namespace {

using namespace squall::websocket;

void read(std::string_view value) {
  ExtensionReader reader(value);
  while (reader.next_extension()) {
    fuzz::check(squall::http::is_token(reader.extension), "names are tokens");
    while (reader.next_parameter()) {
      fuzz::check(squall::http::is_token(reader.name), "parameters are tokens");
      fuzz::check(reader.has_value ? squall::http::is_token(reader.value) : reader.value.empty(),
                  "values are tokens");
    }
  }
}

CompressionOptions options(fuzz::Random& random) {
  CompressionOptions made;
  made.enabled = true;
  made.server_context_takeover = random.up_to(2) == 1;
  made.client_context_takeover = random.up_to(2) == 1;
  made.server_max_window_bits = static_cast<std::uint8_t>(7 + random.up_to(8));
  made.client_max_window_bits = static_cast<std::uint8_t>(7 + random.up_to(8));
  return made;
}

CompressionOptions most() {
  CompressionOptions made;
  made.enabled = true;
  made.server_context_takeover = made.client_context_takeover = true;
  made.server_max_window_bits = made.client_max_window_bits = 15;
  return made;
}

}  // namespace

void fuzz::run(std::string_view input) {
  fuzz::Random random(input);
  const CompressionOptions server = options(random);
  std::vector<std::string_view> values;
  for (std::string_view rest = input; !rest.empty();) {
    values.push_back(fuzz::take(rest));
    read(values.back());
  }
  const auto answered = check_deflate_answer(values, options(random));
  if (answered && *answered) {
    fuzz::check((*answered)->server_max_window_bits >= 8, "the server's window");
    fuzz::check((*answered)->client_max_window_bits >= 8, "the client's window");
  }
  const auto agreement = accept_deflate(values, server);
  if (!agreement || !*agreement) return;
  const DeflateParameters& agreed = (*agreement)->parameters;
  fuzz::check(agreed.server_max_window_bits >= 8 &&
                  agreed.server_max_window_bits <= server.server_max_window_bits,
              "the server keeps to its window");
  fuzz::check(server.client_context_takeover || agreed.client_no_context_takeover,
              "the client forgets where the server wants it");
  const std::string_view answer[] = {(*agreement)->answer};
  const auto taken = check_deflate_answer(answer, most());
  fuzz::check(taken && *taken && **taken == agreed, "a client takes the answer for the same");
}
