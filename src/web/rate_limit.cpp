// SPDX-License-Identifier: Apache-2.0
#include "base/secrets.hpp"
#include "loop/clock.hpp"
#include "web/exchange.hpp"
#include "web/rate_table.hpp"

#include <squall/base/error.hpp>
#include <squall/web/rate_limit.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

namespace squall::web {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t longest_window_ns = 24 * 60 * 60 * second_ns;
constexpr std::size_t most_requests = 1'000'000;

std::int64_t seconds_up(std::int64_t nanoseconds) noexcept {
  return (nanoseconds + second_ns - 1) / second_ns;
}

/// The quoted name with parameters, of a structured field (RFC 9651); without an allocation.
class Item {
 public:
  explicit Item(std::string_view name) noexcept { put("\"").put(name).put("\""); }
  Item& number(std::string_view key, std::uint64_t value) noexcept {
    put(";").put(key).put("=");
    char* const end = std::to_chars(text_ + size_, text_ + sizeof text_, value).ptr;
    size_ = static_cast<std::size_t>(end - text_);
    return *this;
  }
  [[nodiscard]] std::string_view text() const noexcept { return {text_, size_}; }

 private:
  Item& put(std::string_view part) noexcept {
    std::memcpy(text_ + size_, part.data(), part.size());
    size_ += part.size();
    return *this;
  }
  char text_[160];
  std::size_t size_ = 0;
};
constexpr std::size_t longest_name = 64;

class RateLimit {
 public:
  explicit RateLimit(const RateLimitOptions& options)
      : name_(options.name), key_(options.key), headers_(options.headers) {
    const std::int64_t window = options.window.nanoseconds();
    const std::size_t burst = options.burst != 0 ? options.burst : options.requests;
    if (options.requests == 0 || options.requests > most_requests || burst > most_requests) {
      throw UsageError("rate_limit() takes 1 to 1,000,000 requests, and as many at once");
    }
    if (window < second_ns || window > longest_window_ns) {
      throw UsageError("rate_limit(): a window is a second to a day");
    }
    if (options.max_keys == 0) throw UsageError("rate_limit(): max_keys is at least 1");
    const bool is_name = std::all_of(name_.begin(), name_.end(), [](char c) {
      return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
    });
    if (name_.empty() || name_.size() > longest_name || !is_name) {
      throw UsageError("rate_limit(): a name is 1 to 64 characters of ASCII without quotes");
    }
    const auto requests = static_cast<std::int64_t>(options.requests);
    table_ = std::make_unique<RateTable>(std::max<std::int64_t>(window / requests, 1), burst,
                                         options.max_keys);
    policy_ = Item(name_)
                  .number("q", options.requests)
                  .number("w", static_cast<std::uint64_t>(seconds_up(window)))
                  .text();
  }

  void before(RequestHandler& request) const {
    const std::optional<RateTable::Key> key = key_of(request);
    if (key && !table_->take(*key, now()).taken) request.send_error(429);
  }

  void after(RequestHandler& request) const {
    const std::optional<RateTable::Key> key = key_of(request);
    if (!key) return;
    const RateTable::State state = table_->look(*key, now());
    if (headers_) {
      request.add_header("RateLimit-Policy", policy_);
      const auto full = static_cast<std::uint64_t>(seconds_up(state.full_ns));
      request.add_header("RateLimit",
                         Item(name_).number("r", state.remaining).number("t", full).text());
    }
    if (request.get_status() == 429 && state.remaining == 0 &&
        request.get_header("Retry-After").empty()) {
      request.set_header("Retry-After", std::max<std::int64_t>(seconds_up(state.next_ns), 1));
    }
  }

 private:
  static std::int64_t now() noexcept { return static_cast<std::int64_t>(loop::monotonic_ns()); }

  [[nodiscard]] std::optional<RateTable::Key> key_of(RequestHandler& request) const {
    RateTable::Key key{};
    if (key_ != nullptr) {
      const std::string text = key_(request);
      if (text.empty()) return {};
      std::memcpy(key.data(), sha256(text).data(), key.size());  // nobody can make two collide
      return key;
    }
    const net::SocketAddress client = Exchange::of(request).client().unmapped();
    using Family = net::SocketAddress::Family;
    if (client.family() == Family::ipv6) {
      std::memcpy(key.data(), client.bytes(), 8);  // who has one address has its /64
    } else if (client.family() == Family::ipv4) {
      std::memcpy(key.data() + 12, client.bytes(), 4);
      key[10] = key[11] = 0xff;
    }
    return key;
  }

  std::string name_;
  std::string (*key_)(RequestHandler& request);
  bool headers_;
  std::string policy_;
  std::unique_ptr<RateTable> table_;
};

}  // namespace

Middleware rate_limit(const RateLimitOptions& options) { return RateLimit(options); }

}  // namespace squall::web
