// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "base/hex.hpp"
#include "base/secrets.hpp"
#include "base/utf8.hpp"
#include "web/challenge.hpp"
#include "web/digest_fields.hpp"
#include "web/store.hpp"

#include <squall/base/error.hpp>
#include <squall/web/digest_auth.hpp>
#include <squall/web/request_handler.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace squall::web {
namespace {

// A nonce: when it was made, something random, and a signature of both.
constexpr std::size_t nonce_time_bytes = 8;
constexpr std::size_t nonce_random_bytes = 8;
constexpr std::size_t nonce_core_bytes = nonce_time_bytes + nonce_random_bytes;
constexpr std::size_t nonce_signature_bytes = 16;

std::string time_bytes(std::int64_t ms) {
  std::string bytes(nonce_time_bytes, '\0');
  auto rest = static_cast<std::uint64_t>(ms);
  for (std::size_t i = bytes.size(); i-- > 0; rest >>= 8) {
    bytes[i] = static_cast<char>(rest & 0xff);
  }
  return bytes;
}

std::int64_t time_of(std::string_view core) noexcept {
  std::uint64_t ms = 0;
  for (const char c : core.substr(0, nonce_time_bytes)) {
    ms = ms << 8 | static_cast<unsigned char>(c);
  }
  return static_cast<std::int64_t>(ms);
}

std::string digest(DigestAlgorithm algorithm, std::string_view text) {
  std::string hex;
  append_hex(hex, algorithm == DigestAlgorithm::sha256 ? sha256(text) : md5(text));
  return hex;
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text.append(part).append(1, ':');
  text.pop_back();
  return text;
}

// RFC 7616 §3.4: 8LHEX; clients exist that write capitals.
std::optional<std::uint32_t> read_count(std::string_view text) noexcept {
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count, 16);
  if (text.size() != 8 || error != std::errc() || end != text.data() + text.size()) return {};
  return count;
}

}  // namespace

struct DigestAuth::Impl {
  /// The counts of one nonce that were used: the highest, and which of the 64 before it.
  struct Used {
    std::uint32_t highest = 0;
    std::uint64_t below = 0;  // bit n: highest - 1 - n
  };
  enum class Nonce : std::uint8_t { fresh, stale };

  Impl(std::string_view of, const DigestOptions& from)
      : options(from),
        realm(of),
        quoted_realm(quoted_string(of)),
        secret(from.secret.empty() ? random_bytes(32) : std::string(from.secret)) {
    options.secret = {};
    if (options.nonce_lifetime < Duration::from_seconds(1) || options.max_nonces == 0) {
      throw UsageError("DigestOptions: nonce_lifetime is a second or more, max_nonces one or more");
    }
  }

  [[nodiscard]] std::string sign(std::string_view core) const {
    std::string text = "digest nonce:" + realm + ":";
    return hmac_sha256(secret, text.append(core)).substr(0, nonce_signature_bytes);
  }

  [[nodiscard]] std::string make_nonce() const {
    const std::string core =
        time_bytes(store_now(options.clock)) + random_bytes(nonce_random_bytes);
    return encode_base64(core + sign(core), Base64::url_unpadded);
  }

  // Takes one use of a nonce, if it is one of ours, young, and was not used for this count.
  Nonce use(std::string_view nonce, std::uint32_t count) {
    const auto bytes = decode_base64(nonce, Base64::url_unpadded);
    if (!bytes || bytes->size() != nonce_core_bytes + nonce_signature_bytes) return Nonce::stale;
    const std::string core = bytes->substr(0, nonce_core_bytes);
    if (!equal_in_constant_time(sign(core), std::string_view(*bytes).substr(nonce_core_bytes))) {
      return Nonce::stale;
    }
    if (count == 0) return Nonce::stale;
    const std::scoped_lock lock(mutex);
    // Never back, whatever the clock does: what was forgotten must not come to life again.
    oldest_ms =
        std::max(oldest_ms, store_now(options.clock) - options.nonce_lifetime.milliseconds());
    if (time_of(core) <= oldest_ms) return Nonce::stale;
    while (!used.empty() && time_of(used.begin()->first) <= oldest_ms) used.erase(used.begin());
    auto found = used.find(core);
    if (found == used.end()) {
      if (used.size() >= options.max_nonces) {
        // Whether one that is older than all of these has been used nobody knows any more.
        if (core < used.begin()->first) return Nonce::stale;
        used.erase(used.begin());
      }
      found = used.emplace(core, Used{}).first;
    }
    return take(found->second, count);
  }

  static Nonce take(Used& of, std::uint32_t count) noexcept {
    if (count > of.highest) {
      const std::uint32_t shift = count - of.highest;
      of.below = shift < 64 ? of.below << shift : 0;
      if (of.highest != 0 && shift <= 64) of.below |= std::uint64_t{1} << (shift - 1);
      of.highest = count;
      return Nonce::fresh;
    }
    // Requests on several connections may overtake each other.
    const std::uint32_t back = of.highest - count;
    if (back == 0 || back > 64) return Nonce::stale;
    const std::uint64_t bit = std::uint64_t{1} << (back - 1);
    if ((of.below & bit) != 0) return Nonce::stale;
    of.below |= bit;
    return Nonce::fresh;
  }

  DigestOptions options;
  const std::string realm;
  const std::string quoted_realm;
  const std::string secret;
  std::mutex mutex;
  std::map<std::string, Used> used;  // by their first bytes, so by time
  std::int64_t oldest_ms = 0;        // what is not younger is too old
};

DigestAuth::DigestAuth(std::string_view realm, const DigestOptions& options)
    : impl_(new Impl(realm, options)) {}
DigestAuth::~DigestAuth() { delete impl_; }

std::string DigestAuth::hash(std::string_view user, std::string_view password,
                             DigestAlgorithm algorithm) const {
  return digest(algorithm, joined({user, impl_->realm, password}));
}

std::optional<DigestResponse> DigestAuth::read(const RequestHandler& handler) const {
  const Authorization sent = authorization_of(handler, "Digest");
  if (sent.state != Authorization::State::present) return {};
  DigestResponse made;
  std::string realm;
  std::string qop;
  std::string algorithm;
  std::string userhash;
  const std::pair<std::string_view, std::string*> known[] = {
      {"username", &made.user},     {"realm", &realm},
      {"nonce", &made.nonce},       {"uri", &made.uri},
      {"response", &made.response}, {"qop", &qop},
      {"nc", &made.nonce_count},    {"cnonce", &made.client_nonce},
      {"algorithm", &algorithm},    {"userhash", &userhash},
  };
  constexpr std::size_t required = 8;  // of these, the first
  bool given[std::size(known)] = {};
  AuthParameters parameters(sent.text);
  while (parameters.next()) {
    for (std::size_t i = 0; i < std::size(known); ++i) {
      if (!ascii::equal(parameters.name(), known[i].first)) continue;
      if (given[i]) return {};
      given[i] = true;
      *known[i].second = parameters.value();
    }
  }
  if (parameters.is_malformed()) return {};
  for (std::size_t i = 0; i < required; ++i) {
    if (!given[i]) return {};
  }
  if (ascii::equal(algorithm, "SHA-256")) {
    made.algorithm = DigestAlgorithm::sha256;
  } else if (!impl_->options.md5 || !(algorithm.empty() || ascii::equal(algorithm, "MD5"))) {
    return {};
  }
  // RFC 7616 §3.4.6: the URI is the request's, else one proof would do for another request.
  if (realm != impl_->realm || qop != "auth" || ascii::equal(userhash, "true") ||
      made.uri != handler.request().uri() || !is_utf8(made.user) || !read_count(made.nonce_count)) {
    return {};
  }
  return made;
}

DigestResponse DigestAuth::require(RequestHandler& handler) const {
  std::optional<DigestResponse> sent = read(handler);
  if (!sent) challenge(handler);
  return std::move(*sent);
}

void DigestAuth::verify(RequestHandler& handler, const DigestResponse& sent,
                        std::string_view hash) {
  // RFC 7616 §3.4.1
  const std::string request =
      digest(sent.algorithm, joined({handler.request().method_name(), sent.uri}));
  const std::string expected =
      digest(sent.algorithm,
             joined({hash, sent.nonce, sent.nonce_count, sent.client_nonce, "auth", request}));
  const bool is_right = equal_in_constant_time(expected, sent.response) && !hash.empty();
  if (!is_right) challenge(handler);
  const auto count = read_count(sent.nonce_count);
  if (!count || impl_->use(sent.nonce, *count) == Impl::Nonce::stale) challenge(handler, true);
}

void DigestAuth::challenge(RequestHandler& handler, bool stale) const {
  const std::string nonce = impl_->make_nonce();
  std::string challenges[2];
  std::size_t count = 0;
  for (const std::string_view algorithm : {"SHA-256", "MD5"}) {
    std::string& text = challenges[count++];
    text.append("Digest realm=").append(impl_->quoted_realm).append(", qop=\"auth\", algorithm=");
    text.append(algorithm).append(", nonce=\"").append(nonce).append("\", charset=UTF-8");
    if (stale) text += ", stale=true";
    if (!impl_->options.md5) break;
  }
  end_with_challenges(handler, 401, {challenges, count});
}

}  // namespace squall::web
