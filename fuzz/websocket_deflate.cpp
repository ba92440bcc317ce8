// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "websocket/deflate.hpp"
#include "websocket/message_parser.hpp"

#include <algorithm>
#include <string>
#include <vector>

// The first byte chooses window and context takeover. The rest is taken for the payloads of
// compressed messages (they end at "|"), for frames of a server, and for messages to compress.

namespace {

using namespace squall::websocket;
using Kind = MessageParser::Kind;

constexpr std::size_t most_message_bytes = 40'000;

struct Choice {
  unsigned window_bits;
  bool context_takeover;
};

/// Payloads through an Inflater, in pieces and rooms of those sizes; stops at the first bad one.
template <class Next>
std::string inflate(const Choice& choice, std::string_view payloads, Next next) {
  std::string all;
  Inflater inflater(choice.window_bits, choice.context_takeover);
  while (!payloads.empty()) {
    std::string_view rest = fuzz::take(payloads, '|');
    for (;;) {
      fuzz::Exact piece(rest.substr(0, next()));
      std::vector<char> room(next());
      std::string_view input = piece.view();
      const bool fin = input.size() == rest.size();
      const Inflater::Step step = inflater.next(input, fin, room);
      fuzz::check(step.written <= room.size(), "it writes into its room");
      all.append(room.data(), step.written);
      rest.remove_prefix(piece.view().size() - input.size());
      if (step.state == Inflater::State::done) break;
      if (step.state == Inflater::State::bad_data) return all + " bad";
      fuzz::check(step.state == Inflater::State::need_room || (input.empty() && !fin),
                  "what needs more has taken all");
      if (all.size() > 2 * most_message_bytes) return all.substr(0, most_message_bytes);
    }
    all += '|';
    if (!choice.context_takeover) fuzz::check(!inflater.has_state(), "nothing stays");
  }
  return all;
}

template <class Next>
std::string parse(const Choice& choice, std::string_view bytes, bool streaming, Next next) {
  DeflateParameters parameters;
  parameters.server_max_window_bits = choice.window_bits & 15U;
  parameters.server_no_context_takeover = !choice.context_takeover;
  MessageParser parser(Role::client, most_message_bytes);
  parser.set_deflate(parameters);
  parser.set_streaming(streaming);
  std::string text;
  std::string message;
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
      if (event.kind == Kind::failed) {
        return text + "failed " + std::to_string(static_cast<int>(event.code));
      }
      if (event.kind == Kind::text || event.kind == Kind::binary) {
        fuzz::check(streaming || event.fin, "messages are whole");
        fuzz::check(event.fin || !event.payload.empty(), "pieces have bytes");
        message += event.payload;
        fuzz::check(message.size() <= most_message_bytes, "messages are limited");
        if (!event.fin) continue;
        text += (event.kind == Kind::text ? "t:" : "b:") + message + "\n";
        message.clear();
      } else {
        text += std::to_string(static_cast<int>(event.kind)) + ":";
        text.append(event.payload).append("\n");
      }
    }
  }
  return text;
}

void round_trip(const Choice& choice, std::string_view messages, fuzz::Random& random) {
  DeflateSettings settings;
  settings.window_bits = static_cast<std::uint8_t>(choice.window_bits);
  settings.context_takeover = choice.context_takeover;
  settings.level = static_cast<std::uint8_t>(random.up_to(9));
  settings.memory_level = static_cast<std::uint8_t>(random.up_to(9));
  Deflater deflater(settings);
  std::string payloads;
  Inflater inflater(choice.window_bits, choice.context_takeover);
  while (!messages.empty()) {
    const std::string_view message = fuzz::take(messages, '|');
    std::string payload;
    if (random.up_to(2) == 1) {
      if (!deflater.compress(message, payload)) continue;
    } else {
      std::string_view rest = message;
      while (!rest.empty() && random.up_to(4) != 1) {
        const std::string_view piece = rest.substr(0, random.up_to(50));
        rest.remove_prefix(piece.size());
        deflater.append(piece, random.up_to(2) == 1, payload);
      }
      deflater.finish(rest, payload);
    }
    std::vector<char> room(message.size() + 1);
    std::string_view input = payload;
    const Inflater::Step step = inflater.next(input, true, room);
    fuzz::check(step.state == Inflater::State::done, "what is compressed can be inflated");
    fuzz::check_same({room.data(), step.written}, message, "it comes back");
  }
}

}  // namespace

void fuzz::run(std::string_view input) {
  if (input.empty()) return;
  const auto first = static_cast<unsigned char>(input[0]);
  const Choice choice{8 + (first & 7U), (first & 8U) != 0};
  input.remove_prefix(1);
  fuzz::Random random(input);
  static_cast<void>(inflate(choice, input, [&] { return random.up_to(300); }));
  static_cast<void>(parse(choice, input, true, [&] { return random.up_to(300); }));
  // Compared with the largest window: zlib takes distances past a smaller one (RFC 7692 §7.1.2)
  // where it happens to have the bytes, and so some wrong messages in one piece but not in several.
  const Choice wide{15, choice.context_takeover};
  const std::string inflated = inflate(wide, input, [] { return 2 * most_message_bytes; });
  if (inflated.size() < most_message_bytes) {
    check_same(inflate(wide, input, [&] { return random.up_to(30); }), inflated, "in pieces");
    check_same(inflate(wide, input, [&] { return random.up_to(2); }), inflated, "in small ones");
  }
  const std::string whole = parse(wide, input, false, [&] { return input.size(); });
  check_same(parse(wide, input, false, [&] { return random.up_to(20); }), whole, "cut");
  check_same(parse(wide, input, true, [&] { return input.size(); }), whole, "streamed");
  check_same(parse(wide, input, true, [&] { return random.up_to(9); }), whole, "streamed, cut");
  round_trip(choice, input, random);
}
