// SPDX-License-Identifier: Apache-2.0
#include "base/hex.hpp"
#include "base/secrets.hpp"
#include "http/ascii.hpp"
#include "http/tokens.hpp"
#include "web/exchange.hpp"

#include <squall/base/error.hpp>
#include <squall/web/request_id.hpp>

#include <algorithm>
#include <string>

namespace squall::web {
namespace {

constexpr std::size_t longest_id = 128;
constexpr std::size_t id_bytes = 16;

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= longest_id &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return http::ascii::is_alpha(c) || http::ascii::is_digit(c) ||
                  std::string_view("-._~+/=:@").find(c) != std::string_view::npos;
         });
}

class RequestIDs {
 public:
  explicit RequestIDs(const RequestIDOptions& options)
      : trust_(options.trust), header_(options.header) {
    if (!http::is_token(header_)) throw UsageError("\"" + header_ + "\" is no header name");
  }

  void before(RequestHandler& request) const { name(Exchange::of(request)); }
  void after(RequestHandler& request) const {
    Exchange& exchange = Exchange::of(request);
    if (exchange.request_id().empty()) name(exchange);  // refused before the chain began
    exchange.set_header(header_, exchange.request_id());
  }

 private:
  void name(Exchange& exchange) const {
    using Trust = RequestIDOptions::Trust;
    if (trust_ == Trust::all || (trust_ == Trust::proxies && exchange.is_from_proxy())) {
      const std::string_view given = exchange.head().field(header_);
      if (is_id(given)) {
        exchange.set_request_id(given);
        return;
      }
    }
    char bytes[id_bytes];
    fill_randomly(bytes);
    char id[2 * id_bytes];
    write_hex(id, {bytes, sizeof bytes});
    exchange.set_request_id({id, sizeof id});
  }

  RequestIDOptions::Trust trust_;
  std::string header_;
};

}  // namespace

Middleware request_ids(const RequestIDOptions& options) { return RequestIDs(options); }

std::string_view RequestHandler::request_id() const { return exchange().request_id(); }

}  // namespace squall::web
