// SPDX-License-Identifier: Apache-2.0
#include "websocket/deflate_negotiation.hpp"

#include <squall/base/error.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace squall::websocket {
namespace {

using Values = std::vector<std::string_view>;

/// All that can be agreed to, unless the other end asks for less.
CompressionOptions most() {
  CompressionOptions options;
  options.enabled = true;
  options.server_context_takeover = true;
  options.client_context_takeover = true;
  options.server_max_window_bits = 15;
  options.client_max_window_bits = 15;
  return options;
}

CompressionOptions usual() {
  CompressionOptions options;
  options.enabled = true;
  return options;
}

std::string text_of(const DeflateParameters& agreed) {
  return "server " + std::to_string(agreed.server_max_window_bits) +
         (agreed.server_no_context_takeover ? " forgets" : "") + ", client " +
         std::to_string(agreed.client_max_window_bits) +
         (agreed.client_no_context_takeover ? " forgets" : "");
}

/// What a server answers: its field and what it takes that for, "declined" or "malformed".
std::string answer(const Values& values, const CompressionOptions& options = most()) {
  const auto agreement = accept_deflate(values, options);
  if (!agreement) {
    EXPECT_EQ(agreement.error(), make_error_code(ExtensionError::malformed));
    return "malformed";
  }
  if (!agreement->has_value()) return "declined";
  return (*agreement)->answer + " | " + text_of((*agreement)->parameters);
}

/// What a client makes of an answer.
std::string settle(const Values& values, const CompressionOptions& options = most()) {
  const auto agreed = check_deflate_answer(values, options);
  if (!agreed) return agreed.error().message();
  return agreed->has_value() ? text_of(**agreed) : "declined";
}

std::string text_of(ExtensionError error) { return make_error_code(error).message(); }

TEST(DeflateParameters, TakeTwoBytes) { EXPECT_EQ(sizeof(DeflateParameters), 2U); }

TEST(DeflateOffer, IsAnsweredWithWhatItAsksFor) {  // RFC 7692 §7.1
  EXPECT_EQ(answer({"permessage-deflate"}), "permessage-deflate | server 15, client 15");
  EXPECT_EQ(answer({"permessage-deflate; client_max_window_bits"}),
            "permessage-deflate | server 15, client 15");
  EXPECT_EQ(answer({"permessage-deflate; server_no_context_takeover"}),
            "permessage-deflate; server_no_context_takeover | server 15 forgets, client 15");
  EXPECT_EQ(answer({"permessage-deflate; client_no_context_takeover"}),
            "permessage-deflate; client_no_context_takeover | server 15, client 15 forgets");
  EXPECT_EQ(answer({"permessage-deflate; server_max_window_bits=10"}),
            "permessage-deflate; server_max_window_bits=10 | server 10, client 15");
  EXPECT_EQ(answer({"permessage-deflate; server_max_window_bits=15"}),
            "permessage-deflate; server_max_window_bits=15 | server 15, client 15");
  EXPECT_EQ(answer({"permessage-deflate; server_max_window_bits=8"}),
            "permessage-deflate; server_max_window_bits=8 | server 8, client 15");
  EXPECT_EQ(answer({"permessage-deflate; client_max_window_bits=9"}),
            "permessage-deflate; client_max_window_bits=9 | server 15, client 9");
  EXPECT_EQ(answer({"permessage-deflate; client_max_window_bits=\"11\"; server_max_window_bits=12; "
                    "client_no_context_takeover; server_no_context_takeover"}),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "server_max_window_bits=12; client_max_window_bits=11 | server 12 forgets, client 11 "
            "forgets");
}

TEST(DeflateOffer, IsAnsweredWithWhatTheServerWants) {
  // By default neither end keeps its window.
  EXPECT_EQ(
      answer({"permessage-deflate; client_max_window_bits"}, usual()),
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover | server 15 "
      "forgets, client 15 forgets");
  CompressionOptions options = most();
  options.server_max_window_bits = 11;
  options.client_max_window_bits = 10;
  EXPECT_EQ(answer({"permessage-deflate; client_max_window_bits"}, options),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10 | server 11, "
            "client 10");
  // The smaller of both.
  EXPECT_EQ(
      answer({"permessage-deflate; server_max_window_bits=9; client_max_window_bits=12"}, options),
      "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10 | server 9, "
      "client 10");
  EXPECT_EQ(
      answer({"permessage-deflate; server_max_window_bits=13; client_max_window_bits=9"}, options),
      "permessage-deflate; server_max_window_bits=11; client_max_window_bits=9 | server 11, "
      "client 9");
}

TEST(DeflateOffer, CannotBeBoundWhereItDoesNotNameTheClientsWindow) {  // RFC 7692 §7.1.2.2
  CompressionOptions options = most();
  options.client_max_window_bits = 10;
  EXPECT_EQ(answer({"permessage-deflate"}, options), "permessage-deflate | server 15, client 15");
}

TEST(DeflateOffer, WithContextTakeoverHasASmallerWindowByDefault) {
  CompressionOptions options = usual();
  options.server_context_takeover = true;
  options.client_context_takeover = true;
  EXPECT_EQ(answer({"permessage-deflate; client_max_window_bits"}, options),
            "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12 | server 12, "
            "client 12");
}

TEST(DeflateOffer, IsDeclinedWithAnyFaultInItsParameters) {  // RFC 7692 §7
  for (const std::string_view parameter : {"server_no_context_takeover=1",
                                           "client_no_context_takeover=\"true\"",
                                           "server_no_context_takeover; server_no_context_takeover",
                                           "client_no_context_takeover; client_no_context_takeover",
                                           "server_max_window_bits",
                                           "server_max_window_bits=7",
                                           "server_max_window_bits=16",
                                           "server_max_window_bits=08",
                                           "server_max_window_bits=1",
                                           "server_max_window_bits=015",
                                           "server_max_window_bits=+9",
                                           "server_max_window_bits=9a",
                                           "server_max_window_bits=150",
                                           "client_max_window_bits=0",
                                           "client_max_window_bits=7",
                                           "client_max_window_bits=16",
                                           "server_max_window_bits=10; server_max_window_bits=10",
                                           "client_max_window_bits; client_max_window_bits=10",
                                           "unknown",
                                           "unknown=1",
                                           "level=9",
                                           "Server_No_Context_Takeover"}) {
    const std::string offer = "permessage-deflate; " + std::string(parameter);
    EXPECT_EQ(answer({offer}), "declined") << offer;
    // The next offer is still looked at.
    EXPECT_EQ(answer({offer + ", permessage-deflate"}),
              "permessage-deflate | server 15, client 15");
  }
}

TEST(DeflateOffer, IsTakenInOrderOfPreference) {  // RFC 7692 §5.1
  EXPECT_EQ(answer({"permessage-deflate; server_max_window_bits=9, permessage-deflate"}),
            "permessage-deflate; server_max_window_bits=9 | server 9, client 15");
  EXPECT_EQ(answer({"x-webkit-deflate-frame, foo; bar=\"baz\", permessage-deflate; "
                    "server_max_window_bits=10"}),
            "permessage-deflate; server_max_window_bits=10 | server 10, client 15");
  EXPECT_EQ(answer({"foo", "permessage-deflate; server_max_window_bits=11, permessage-deflate",
                    "permessage-deflate"}),
            "permessage-deflate; server_max_window_bits=11 | server 11, client 15");
}

TEST(DeflateOffer, IsDeclinedWhenThereIsNone) {
  EXPECT_EQ(answer({}), "declined");
  EXPECT_EQ(answer({""}), "declined");
  EXPECT_EQ(answer({"foo, permessage-bzip2"}), "declined");
  EXPECT_EQ(answer({"permessage-deflate"}, CompressionOptions{}), "declined");
}

TEST(DeflateOffer, FailsTheHandshakeWhenMalformed) {  // RFC 6455 §9.1
  for (const std::string_view value :
       {"permessage-deflate;", "permessage-deflate; client_max_window_bits=",
        "permessage-deflate foo", "permessage-deflate; a=\"b", "=", "permessage-deflate, ;"}) {
    EXPECT_EQ(answer({value}), "malformed") << value;
    EXPECT_EQ(answer({"permessage-deflate", value}), "malformed") << value;
    EXPECT_EQ(answer({value}, CompressionOptions{}), "malformed") << value;
  }
}

TEST(DeflateOffer, SaysWhatTheClientWants) {  // RFC 7692 §7.1
  EXPECT_EQ(offer_deflate(CompressionOptions{}), "");
  EXPECT_EQ(offer_deflate(most()), "permessage-deflate; client_max_window_bits");
  EXPECT_EQ(offer_deflate(usual()),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "client_max_window_bits, "
            "permessage-deflate; client_no_context_takeover; client_max_window_bits");
  CompressionOptions options = most();
  options.server_max_window_bits = 9;
  options.client_max_window_bits = 8;
  EXPECT_EQ(offer_deflate(options),
            "permessage-deflate; server_max_window_bits=9; client_max_window_bits=8");
}

TEST(DeflateAnswer, IsTakenWithinTheOffer) {  // RFC 7692 §7.1
  EXPECT_EQ(settle({}), "declined");
  EXPECT_EQ(settle({"permessage-deflate"}), "server 15, client 15");
  EXPECT_EQ(settle({"permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                    "server_max_window_bits=8; client_max_window_bits=8"}),
            "server 8 forgets, client 8 forgets");
  EXPECT_EQ(settle({"permessage-deflate; client_max_window_bits=\"15\""}), "server 15, client 15");
  // We forget where we have said so, named or not (§7.1.1.2).
  EXPECT_EQ(settle({"permessage-deflate; server_no_context_takeover"}, usual()),
            "server 15 forgets, client 15 forgets");
  // The server need not: there was a second offer (§5.1).
  EXPECT_EQ(settle({"permessage-deflate"}, usual()), "server 15, client 15 forgets");
  // And keep to the window we have named (§7.1.2.2).
  CompressionOptions options = most();
  options.client_max_window_bits = 10;
  EXPECT_EQ(settle({"permessage-deflate"}, options), "server 15, client 10");
  EXPECT_EQ(settle({"permessage-deflate; client_max_window_bits=9"}, options),
            "server 15, client 9");
}

TEST(DeflateAnswer, FailsTheConnectionPastTheOffer) {  // RFC 7692 §7.1.1.1, §7.1.2
  const std::string not_kept = text_of(ExtensionError::parameter_not_kept);
  CompressionOptions options = most();
  options.server_max_window_bits = 10;
  options.client_max_window_bits = 10;
  EXPECT_EQ(settle({"permessage-deflate"}, options), not_kept);
  EXPECT_EQ(settle({"permessage-deflate; server_max_window_bits=11"}, options), not_kept);
  EXPECT_EQ(settle({"permessage-deflate; server_max_window_bits=10"}, options),
            "server 10, client 10");
  EXPECT_EQ(
      settle({"permessage-deflate; server_max_window_bits=10; client_max_window_bits=11"}, options),
      not_kept);
}

TEST(DeflateAnswer, FailsTheConnectionWhenItIsBad) {
  EXPECT_EQ(settle({"permessage-deflate; client_max_window_bits"}),
            text_of(ExtensionError::bad_parameter_value));
  EXPECT_EQ(settle({"permessage-deflate; server_max_window_bits=16"}),
            text_of(ExtensionError::bad_parameter_value));
  EXPECT_EQ(settle({"permessage-deflate; server_no_context_takeover=1"}),
            text_of(ExtensionError::bad_parameter_value));
  EXPECT_EQ(settle({"permessage-deflate; foo"}), text_of(ExtensionError::unknown_parameter));
  EXPECT_EQ(settle({"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9"}),
            text_of(ExtensionError::repeated_parameter));
  EXPECT_EQ(settle({"permessage-deflate, permessage-deflate"}),
            text_of(ExtensionError::answered_twice));
  EXPECT_EQ(settle({"permessage-deflate", "permessage-deflate"}),
            text_of(ExtensionError::answered_twice));
  EXPECT_EQ(settle({"permessage-deflate, foo"}), text_of(ExtensionError::not_offered));
  EXPECT_EQ(settle({"foo"}), text_of(ExtensionError::not_offered));
  EXPECT_EQ(settle({"permessage-deflate"}, CompressionOptions{}),
            text_of(ExtensionError::not_offered));
  EXPECT_EQ(settle({"permessage-deflate;"}), text_of(ExtensionError::malformed));
  EXPECT_EQ(settle({";"}), text_of(ExtensionError::malformed));
}

// Whatever a client of ours offers, a server of ours answers so that both mean the same.
TEST(Deflate, BothEndsAgreeWhateverTheyWant) {
  std::vector<CompressionOptions> all;
  for (const int bits : {0, 8, 9, 12, 15}) {
    for (const int other : {0, 8, 14, 15}) {
      for (int takeover = 0; takeover < 4; ++takeover) {
        CompressionOptions options = usual();
        options.server_max_window_bits = static_cast<std::uint8_t>(bits);
        options.client_max_window_bits = static_cast<std::uint8_t>(other);
        options.server_context_takeover = (takeover & 1) != 0;
        options.client_context_takeover = (takeover & 2) != 0;
        all.push_back(options);
      }
    }
  }
  for (const CompressionOptions& client : all) {
    for (const CompressionOptions& server : all) {
      const std::string offer = offer_deflate(client);
      const auto agreement = accept_deflate(Values{offer}, server);
      ASSERT_TRUE(agreement && agreement->has_value()) << offer;
      const auto agreed = check_deflate_answer(Values{(*agreement)->answer}, client);
      ASSERT_TRUE(agreed && agreed->has_value()) << offer << " : " << (*agreement)->answer;
      EXPECT_EQ(**agreed, (*agreement)->parameters) << offer << " : " << (*agreement)->answer;
    }
  }
}

TEST(CompressionOptions, AreChecked) {
  EXPECT_NO_THROW(check(CompressionOptions{}));
  EXPECT_NO_THROW(check(most()));
  const auto refuses = [](auto change) {
    CompressionOptions options = usual();
    change(options);
    EXPECT_THROW(check(options), UsageError);
  };
  refuses([](auto& options) { options.level = 10; });
  refuses([](auto& options) { options.memory_level = 10; });
  refuses([](auto& options) { options.server_max_window_bits = 7; });
  refuses([](auto& options) { options.server_max_window_bits = 16; });
  refuses([](auto& options) { options.client_max_window_bits = 1; });
}

}  // namespace
}  // namespace squall::websocket
