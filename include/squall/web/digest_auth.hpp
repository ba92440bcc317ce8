// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/limits.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

// HTTP Digest authentication (RFC 7616): the client proves that it knows a password without sending
// it. For devices and clients that know nothing better; where there is HTTPS, Basic over it lets
// the server keep safer hashes of passwords.
namespace squall::web {

class RequestHandler;

enum class DigestAlgorithm : std::uint8_t { sha256, md5 };

struct DigestOptions {
  bool md5 = false;  ///< offers MD5 after SHA-256, for clients that know nothing else
  /// How long a client may use a nonce; then it gets another one without asking its user again.
  Duration nonce_lifetime = Duration::from_seconds(5 * 60);
  /// Nonces whose use is remembered, so that no request can be sent a second time; past it the
  /// oldest count as too old.
  std::size_t max_nonces = limits::digest_nonces;
  /// What nonces are signed with. "" makes one up: it is not the same in other processes, and after
  /// a restart clients get new nonces.
  std::string_view secret = {};
  std::int64_t (*clock)() = nullptr;  ///< milliseconds since 1970, for tests; nullptr: the system's
};
static_assert(std::is_trivially_destructible_v<DigestOptions>);

/// What a client sends as its proof. Only `user` and `algorithm` are for the application.
struct DigestResponse {
  std::string user;
  DigestAlgorithm algorithm = DigestAlgorithm::md5;
  std::string nonce;
  std::string nonce_count;
  std::string client_nonce;
  std::string uri;
  std::string response;
};

/// Asks for and checks Digest responses of one realm, on the threads of any loops. It keeps which
/// nonces were used how often; make one for the life of the application.
///
///     Task<> load_current_user() override {
///       const web::DigestResponse sent = digest.require(*this);
///       const std::string hash = co_await hash_of_user(sent.user);  // "" for nobody
///       digest.verify(*this, sent, hash);
///       set_current_user(sent.user);
///     }
class DigestAuth {
 public:
  /// A UsageError when the realm has control characters.
  explicit DigestAuth(std::string_view realm, const DigestOptions& options = {});
  DigestAuth(const DigestAuth&) = delete;
  DigestAuth& operator=(const DigestAuth&) = delete;
  ~DigestAuth();

  /// What is to be kept of a password: H(user:realm:password) in hexadecimal digits. Who has it can
  /// log in with it: it is as good as the password, for this realm.
  [[nodiscard]] std::string hash(std::string_view user, std::string_view password,
                                 DigestAlgorithm algorithm = DigestAlgorithm::sha256) const;

  /// The request's response, nothing when it has none that is whole, for this realm, this request's
  /// URI, and an algorithm that is offered. It is not verified.
  [[nodiscard]] std::optional<DigestResponse> read(const RequestHandler& handler) const;
  /// The same; without one challenge().
  [[nodiscard]] DigestResponse require(RequestHandler& handler) const;
  /// Returns when the response is made with this hash() and was never used before; otherwise
  /// challenge(), as stale when the hash is right and the nonce alone is too old.
  void verify(RequestHandler& handler, const DigestResponse& sent, std::string_view hash);
  /// Ends the request by an exception, with 401, the challenges and the page of that error.
  [[noreturn]] void challenge(RequestHandler& handler, bool stale = false) const;

 private:
  struct Impl;
  Impl* impl_;
};

}  // namespace squall::web
