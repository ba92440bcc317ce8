// SPDX-License-Identifier: Apache-2.0
#include "websocket/deflate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace squall::websocket {
namespace {

using namespace std::string_literals;
using State = Inflater::State;

/// Inflates a message in pieces of `piece` into rooms of `room`; "bad" when it is not one.
std::string inflated(Inflater& inflater, std::string_view payload, std::size_t piece = SIZE_MAX,
                     std::size_t room = 4096) {
  std::string out;
  std::vector<char> space(room);
  std::string_view rest = payload;
  for (;;) {
    std::string_view input = rest.substr(0, piece);
    const bool fin = input.size() == rest.size();
    const std::size_t given = input.size();
    const Inflater::Step step = inflater.next(input, fin, space);
    rest.remove_prefix(given - input.size());
    out.append(space.data(), step.written);
    switch (step.state) {
      case State::done:
        return out;
      case State::bad_data:
        return "bad";
      case State::need_room:
        EXPECT_EQ(step.written, room);
        break;
      case State::need_input:
        EXPECT_TRUE(input.empty());
        EXPECT_FALSE(fin);
        break;
    }
  }
}

std::string inflated(std::string_view payload) {
  Inflater inflater(15, false);
  return inflated(inflater, payload);
}

std::string deflated(Deflater& deflater, std::string_view message) {
  std::string out;
  EXPECT_TRUE(deflater.compress(message, out));
  return out;
}

DeflateSettings settings(unsigned window_bits, bool context_takeover, int level = 6,
                         int memory_level = 8) {
  DeflateSettings made;
  made.window_bits = static_cast<std::uint8_t>(window_bits);
  made.context_takeover = context_takeover;
  made.level = static_cast<std::uint8_t>(level);
  made.memory_level = static_cast<std::uint8_t>(memory_level);
  return made;
}

std::string words(unsigned seed, std::size_t size) {
  std::minstd_rand random(seed);
  const std::string_view all[] = {"loop ", "event ", "stream ", "of ",   "the ", "socket ",
                                  "a ",    "\n",     "price ",  "12.5 ", "up ",  "down "};
  std::string text;
  while (text.size() < size) text += all[random() % std::size(all)];
  text.resize(size);
  return text;
}

std::string noise(unsigned seed, std::size_t size) {
  std::minstd_rand random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() >> 8);
  return bytes;
}

TEST(Inflater, ReadsTheExamplesOfTheStandard) {
  // One block (§7.2.3.1), in two pieces, shared window (§7.2.3.2), no compression (§7.2.3.3),
  // BFINAL (§7.2.3.4), two blocks (§7.2.3.5), an empty message (§7.2.3.6).
  EXPECT_EQ(inflated("\xf2\x48\xcd\xc9\xc9\x07\x00"s), "Hello");
  Inflater shared(15, true);
  EXPECT_EQ(inflated(shared, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), "Hello");
  EXPECT_EQ(inflated(shared, "\xf2\x00\x11\x00\x00"s), "Hello");
  EXPECT_EQ(inflated("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s), "Hello");
  EXPECT_EQ(inflated("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s), "Hello");
  EXPECT_EQ(inflated("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s), "Hello");
  EXPECT_EQ(inflated("\x00"s), "");
}

TEST(Deflater, WritesTheExamplesOfTheStandard) {  // RFC 7692 §7.2.3.1, .2, .6
  Deflater shared(settings(15, true));
  EXPECT_EQ(deflated(shared, "Hello"), "\xf2\x48\xcd\xc9\xc9\x07\x00"s);
  EXPECT_EQ(deflated(shared, "Hello"), "\xf2\x00\x11\x00\x00"s);
  EXPECT_EQ(deflated(shared, ""), "\x00"s);
  Deflater fresh(settings(15, true));
  EXPECT_EQ(deflated(fresh, ""), "\x00"s);
  Deflater stored(settings(15, true, 0));
  EXPECT_EQ(deflated(stored, "Hello"), "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s);
}

TEST(Inflater, RefusesWhatIsNotDeflate) {
  EXPECT_EQ(inflated("\x07"s), "bad");  // block type 3
  EXPECT_EQ(inflated("\xff\xff\xff\xff"s), "bad");
  EXPECT_EQ(inflated("\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00"s), "bad");  // NLEN
  EXPECT_EQ(inflated("\xf2\x00\x11\x00\x00"s), "bad");  // refers to what never was
  EXPECT_EQ(inflated("Hello"), "bad");
}

TEST(Inflater, RefusesAMessageThatIsCutShort) {
  const std::string whole = "\xf2\x48\xcd\xc9\xc9\x07\x00"s;
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(inflated(whole.substr(0, size)), "bad") << size;
  }
  EXPECT_EQ(inflated("\x00\x05\x00\xfa\xff\x48\x65\x6c"s), "bad");
  EXPECT_EQ(inflated("\x00\x05\x00\xfa\xff"s), "bad");
  std::string text;
  ASSERT_TRUE(deflate_message(settings(15, false), words(1, 3000), text));
  for (std::size_t size = 1; size < text.size(); ++size) {
    ASSERT_EQ(inflated(text.substr(0, size)), "bad") << size;
  }
}

// The last block, marked as such, has its end in the tail, and the room is full before it.
TEST(Inflater, RefusesABlockThatTheTailWouldEnd) {
  for (const std::size_t room : {1U, 2U, 31U, 32U, 33U, 100U}) {
    Inflater inflater(15, false);
    EXPECT_EQ(inflated(inflater, "\x8b\x27", SIZE_MAX, room), "bad") << room;
  }
}

// Blocks that are as long as the tail makes them, the room full before it or not.
TEST(Inflater, RefusesABlockThatTheTailWouldFill) {
  for (const std::size_t room : {1U, 2U, 3U, 5U, 6U, 100U}) {
    Inflater inflater(15, true);
    EXPECT_EQ(inflated(inflater, "\x00\x05\x00\xfa\xff\x48"s, SIZE_MAX, room), "bad") << room;
    EXPECT_EQ(inflated(inflater, "\x00\x04\x00\xfb\xff"s, SIZE_MAX, room), "bad") << room;
    EXPECT_EQ(inflated(inflater, "\x00\x02\x00\xfd\xffHi\x00"s, SIZE_MAX, room), "Hi") << room;
  }
}

TEST(Inflater, RefusesWhatFollowsTheEnd) {
  EXPECT_EQ(inflated("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"s), "bad");
  EXPECT_EQ(inflated("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff!"s), "bad");
  EXPECT_EQ(inflated("\xf3\x48\xcd\xc9\xc9\x07\x00\x07"s), "bad");
}

TEST(Inflater, TakesFinalBlocksAndWhatFollowsThem) {  // RFC 7692 §7.2.3.4
  const std::string final_block = "\xf3\x48\xcd\xc9\xc9\x07\x00"s;
  EXPECT_EQ(inflated(final_block), "Hello");
  EXPECT_EQ(inflated(final_block + "\x00"s), "Hello");
  EXPECT_EQ(inflated(final_block + final_block + "\x00"s), "HelloHello");
  EXPECT_EQ(inflated(final_block + "\xf2\x48\xcd\xc9\xc9\x07\x00"s), "HelloHello");
  // The window outlives a final block, within the message and behind it.
  Inflater shared(15, true);
  EXPECT_EQ(inflated(shared, final_block + "\xf2\x00\x11\x00\x00"s), "HelloHello");
  EXPECT_EQ(inflated(shared, final_block), "Hello");
  EXPECT_EQ(inflated(shared, "\xf2\x00\x11\x00\x00"s), "Hello");
  // Many of them cost little: nothing of the window is copied.
  std::string many;
  for (int i = 0; i < 1'000'000; ++i) many += "\x03\x00"s;
  EXPECT_EQ(inflated(many + "\x00"s), "");
}

TEST(Inflater, TakesAMessageOfNoBytesForAnEmptyOne) {
  Inflater inflater(15, true);
  EXPECT_EQ(inflated(inflater, ""), "");
  EXPECT_FALSE(inflater.has_state());
  EXPECT_EQ(inflated(inflater, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), "Hello");
  EXPECT_EQ(inflated(inflater, ""), "");
  EXPECT_EQ(inflated(inflater, "\xf2\x00\x11\x00\x00"s), "Hello");
}

TEST(Inflater, GivesTheSameHoweverInputAndRoomAreCut) {
  for (const std::string& message :
       {words(2, 2000), std::string(20'000, 'x'), noise(3, 1500), "a"s, ""s}) {
    Deflater deflater(settings(15, true));
    const std::string payload = deflated(deflater, message);
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U, 1U << 20}) {
      for (const std::size_t room : {1U, 2U, 5U, 64U, 1999U, 2000U, 2001U, 65536U}) {
        Inflater inflater(15, false);
        ASSERT_EQ(inflated(inflater, payload, piece, room), message) << piece << ' ' << room;
      }
    }
  }
}

// Whatever zlib writes for a window, no match of it reaches further back: an inflater with just
// that window, which is given one byte of room at a time and so has nothing else, reads it.
TEST(Deflater, KeepsToItsWindow) {  // RFC 7692 §7.1.2
  for (unsigned bits = 8; bits <= 15; ++bits) {
    for (const int level : {1, 3, 6, 9}) {
      Deflater deflater(settings(bits, true, level));
      Inflater inflater(bits, true);
      std::string message = words(bits, 1200);
      // Repetitions at each distance around the window's size.
      const std::size_t window = std::size_t{1} << bits;
      for (std::size_t distance = window - 4; distance < window + 4; ++distance) {
        const std::string chunk = noise(static_cast<unsigned>(distance), 40);
        message += chunk + noise(99, distance - chunk.size()) + chunk;
      }
      for (int round = 0; round < 2; ++round) {
        ASSERT_EQ(inflated(inflater, deflated(deflater, message), SIZE_MAX, 1), message)
            << bits << ' ' << level;
      }
    }
  }
}

TEST(Deflater, AndInflaterAgreeWithEveryWindowAndMemory) {
  for (unsigned bits = 8; bits <= 15; ++bits) {
    for (const int memory_level : {1, 5, 8, 9}) {
      for (const bool takeover : {false, true}) {
        Deflater deflater(settings(bits, takeover, 6, memory_level));
        Inflater inflater(bits, takeover);
        for (const std::size_t size : {1000U, 4096U, 4097U, 100'000U}) {
          const std::string message = words(static_cast<unsigned>(size), size);
          const std::string payload = deflated(deflater, message);
          EXPECT_LT(payload.size(), size);
          ASSERT_EQ(inflated(inflater, payload), message) << bits << ' ' << memory_level;
        }
      }
    }
  }
}

TEST(Deflater, TakesMessagesInPieces) {
  for (const bool takeover : {false, true}) {
    for (const bool flush : {false, true}) {
      Deflater deflater(settings(12, takeover));
      Inflater inflater(12, takeover);
      for (const std::size_t piece : {1U, 10U, 1000U, 50'000U}) {
        const std::string message = words(5, 20'000);
        std::string payload;
        std::size_t flushed = 0;
        for (std::size_t at = 0; at < message.size(); at += piece) {
          const std::size_t before = payload.size();
          deflater.append(std::string_view(message).substr(at, piece), flush, payload);
          flushed += payload.size() > before ? 1U : 0U;
        }
        deflater.finish("", payload);
        if (flush) {
          EXPECT_EQ(flushed, (message.size() + piece - 1) / piece);
        }
        ASSERT_EQ(inflated(inflater, payload), message);
        EXPECT_EQ(deflater.has_state(), takeover);
      }
      std::string payload;
      deflater.finish("", payload);
      EXPECT_EQ(payload, "\x00"s);
    }
  }
}

TEST(Deflater, FlushedPiecesCanBeReadAtOnce) {
  Deflater deflater(settings(15, false));
  Inflater inflater(15, false);
  std::vector<char> room(1000);
  for (const std::string_view piece : {"first ", "second ", "third"}) {
    std::string payload;
    deflater.append(piece, true, payload);
    std::string_view input = payload;
    const auto step = inflater.next(input, false, room);
    EXPECT_EQ(std::string_view(room.data(), step.written), piece);
    EXPECT_EQ(step.state, State::need_input);
  }
  std::string payload;
  deflater.finish("", payload);
  std::string_view input = payload;
  EXPECT_EQ(inflater.next(input, true, room).state, State::done);
}

TEST(DeflateMessage, LeavesWhatItCannotShorten) {
  std::string out = "before";
  EXPECT_FALSE(deflate_message(settings(15, false), "", out));
  EXPECT_FALSE(deflate_message(settings(15, false), "x", out));
  EXPECT_FALSE(deflate_message(settings(15, false), noise(1, 1000), out));
  EXPECT_FALSE(deflate_message(settings(15, false), noise(1, 100'000), out));
  EXPECT_EQ(out, "before");
  EXPECT_TRUE(deflate_message(settings(15, false), std::string(20, 'x'), out));
  EXPECT_EQ(out.substr(0, 6), "before");
  EXPECT_EQ(inflated(out.substr(6)), std::string(20, 'x'));
}

TEST(DeflateMessage, GivesTheSameForTheSame) {
  const std::string message = words(8, 10'000);
  std::string first;
  std::string second;
  ASSERT_TRUE(deflate_message(settings(15, false), message, first));
  ASSERT_TRUE(deflate_message(settings(15, false), words(9, 5'000), second));
  second.clear();
  ASSERT_TRUE(deflate_message(settings(15, false), message, second));
  EXPECT_EQ(first, second);
  std::thread([&] {
    std::string third;
    ASSERT_TRUE(deflate_message(settings(15, false), message, third));
    EXPECT_EQ(first, third);
  }).join();
}

TEST(Deflater, WithContextTakeoverShrinksWhatComesAgain) {
  const std::string message = noise(4, 2000);
  Deflater deflater(settings(15, true));
  EXPECT_GT(deflated(deflater, message).size(), 2000U);
  EXPECT_LT(deflated(deflater, message).size(), 100U);
  Deflater moved = std::move(deflater);
  EXPECT_FALSE(deflater.has_state());  // NOLINT: what is left of it
  EXPECT_LT(deflated(moved, message).size(), 100U);
}

TEST(DeflateStates, ComeFromAFewThatTheThreadKeeps) {
  std::thread([] {
    EXPECT_EQ(idle_deflate_states(), 0U);
    const std::string message = words(1, 5000);
    for (int i = 0; i < 100; ++i) {
      std::string payload;
      ASSERT_TRUE(deflate_message(settings(15, false), message, payload));
      ASSERT_EQ(inflated(payload), message);
    }
    EXPECT_EQ(idle_deflate_states(), 1U);
    EXPECT_EQ(idle_inflate_states(), 1U);
    {
      std::vector<Deflater> many;
      for (int i = 0; i < 20; ++i) {
        many.emplace_back(settings(9, true));
        deflated(many.back(), message);
      }
    }
    EXPECT_EQ(idle_deflate_states(), limits::idle_websocket_codecs);
  }).join();
}

TEST(DeflateStates, AreFreeBetweenMessagesWithoutContextTakeover) {
  Deflater deflater(settings(15, false));
  Inflater inflater(15, false);
  const std::string payload = deflated(deflater, words(1, 5000));
  EXPECT_FALSE(deflater.has_state());
  EXPECT_EQ(inflated(inflater, payload), words(1, 5000));
  EXPECT_FALSE(inflater.has_state());
  // One that is left in the middle of a message gives its state back, and it begins anew.
  {
    Inflater left(15, false);
    std::string_view input = std::string_view(payload).substr(0, 20);
    std::vector<char> room(100);
    left.next(input, false, room);
    EXPECT_TRUE(left.has_state());
  }
  EXPECT_EQ(inflated(inflater, payload), words(1, 5000));
}

TEST(DeflateSettings, FollowWhatWasAgreedOn) {
  CompressionOptions options;
  options.level = 3;
  DeflateParameters parameters;
  parameters.server_max_window_bits = 10;
  parameters.client_max_window_bits = 11;
  parameters.client_no_context_takeover = true;
  DeflateSettings expected = settings(10, true, 3, 5);
  EXPECT_EQ(deflate_settings(Role::server, parameters, options), expected);
  expected = settings(11, false, 3, 8);
  EXPECT_EQ(deflate_settings(Role::client, parameters, options), expected);
  options.memory_level = 9;
  expected.memory_level = 9;
  EXPECT_EQ(deflate_settings(Role::client, parameters, options), expected);
}

}  // namespace
}  // namespace squall::websocket
