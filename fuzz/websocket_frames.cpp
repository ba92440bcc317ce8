// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "websocket/message_parser.hpp"

#include <algorithm>
#include <string>

// Frames as either end gets them: however they are cut, the same messages come out.

namespace {

using namespace squall::websocket;
using Kind = MessageParser::Kind;

constexpr std::size_t most_message_bytes = 1000;

template <class Next>
std::string parse(MessageParser::Role role, std::string_view bytes, Next next) {
  std::string text;
  MessageParser parser(role, most_message_bytes);
  while (!bytes.empty()) {
    fuzz::Exact piece(bytes.substr(0, next()));
    bytes.remove_prefix(piece.view().size());
    std::span<char> input(piece.data(), piece.view().size());
    for (;;) {
      const auto event = parser.next(input);
      if (event.kind == Kind::need_more) {
        fuzz::check(input.empty(), "what needs more has taken all");
        break;
      }
      text += std::to_string(static_cast<int>(event.kind)) + " " +
              std::to_string(static_cast<int>(event.code)) + " ";
      text.append(event.payload).append("|");
      if (event.kind == Kind::failed) return text;
      fuzz::check(event.payload.size() <= most_message_bytes, "messages are limited");
      const bool control = event.kind != Kind::text && event.kind != Kind::binary;
      fuzz::check(!control || event.payload.size() <= 125, "control frames are short");
    }
  }
  return text;
}

}  // namespace

void fuzz::run(std::string_view input) {
  fuzz::Random random(input);
  for (const auto role : {MessageParser::Role::server, MessageParser::Role::client}) {
    const std::string whole = parse(role, input, [&] { return input.size(); });
    check_same(parse(role, input, [&] { return random.up_to(30); }), whole, "in pieces");
    check_same(parse(role, input, [&] { return random.up_to(3); }), whole, "in small pieces");
  }
}
