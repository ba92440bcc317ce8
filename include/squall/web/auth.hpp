// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/optional_string.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

// HTTP's own ways to say who sends a request: Basic (RFC 7617) and Bearer (RFC 6750); Digest has
// <squall/web/digest_auth.hpp>. For prepare(), load_current_user() and verbs:
//
//     Task<> load_current_user() override {
//       auto sent = web::require_basic_credentials(*this, "the archive");
//       ...
//       if (!is_right) web::challenge_basic(*this, "the archive");
//       set_current_user(sent.user);
//     }
//
// Who reads the network can read both: use them over HTTPS only.
namespace squall::web {

class RequestHandler;

/// Whether both are the same, in a time that tells nothing of where they differ or of how long the
/// other one is: for passwords, keys and tokens that are compared as they are.
[[nodiscard]] bool equal_secrets(std::string_view left, std::string_view right);

struct BasicCredentials {
  std::string user;  ///< without a colon
  std::string password;
};

/// What the client says about itself in `Authorization: Basic`. Nothing when it does not, or in a
/// form that RFC 7617 §2 does not know: no UTF-8, with control characters, without a colon, in two
/// fields.
[[nodiscard]] std::optional<BasicCredentials> get_basic_credentials(const RequestHandler& handler);
/// Ends the request by an exception, with 401, the challenge and the page of that error: browsers
/// ask the user for a name and a password then. The response's head must not have left.
[[noreturn]] void challenge_basic(RequestHandler& handler, std::string_view realm);
/// The credentials; without some challenge_basic().
[[nodiscard]] BasicCredentials require_basic_credentials(RequestHandler& handler,
                                                         std::string_view realm);

/// What was wrong with a request that should have a token (RFC 6750 §3.1).
enum class BearerError : std::uint8_t {
  none,                ///< 401; it had none
  invalid_request,     ///< 400; it is malformed
  invalid_token,       ///< 401; expired, revoked or unknown
  insufficient_scope,  ///< 403; the token does not allow this
};

struct BearerChallenge {
  std::string_view realm = {};
  BearerError error = BearerError::none;
  /// For the client's programmers: ASCII without quotation marks, backslashes, control characters.
  std::string_view description = {};
  std::string_view scope = {};  ///< what would be needed, with spaces between
};
static_assert(std::is_trivially_destructible_v<BearerChallenge>);

/// The token of `Authorization: Bearer`, nothing without one that is well-formed. Tokens in forms
/// and in URLs (RFC 6750 §2.2, §2.3) are not looked at: logs and other sites would see them.
[[nodiscard]] OptionalString get_bearer_token(const RequestHandler& handler);
/// Ends the request by an exception, with the error's status, the challenge and the error's page.
[[noreturn]] void challenge_bearer(RequestHandler& handler, const BearerChallenge& challenge = {});
/// The token; without one challenge_bearer(), as invalid_request when there is one that is
/// malformed. Whether it is good is for the caller to find out.
[[nodiscard]] std::string require_bearer_token(RequestHandler& handler,
                                               std::string_view realm = {});

}  // namespace squall::web
