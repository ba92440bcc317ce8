// SPDX-License-Identifier: Apache-2.0
#include "base/url.hpp"
#include "client/open_connection.hpp"
#include "client/proxy.hpp"
#include "client/receive_head.hpp"
#include "client/websocket_session.hpp"
#include "http/ascii.hpp"
#include "http/tokens.hpp"
#include "net/stream_core.hpp"
#include "websocket/client_handshake.hpp"

#include <squall/base/error.hpp>
#include <squall/client/websocket.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/net/tls.hpp>

#include <openssl/rand.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace squall::client {
namespace {

// What a server that refuses may take for the text that says why.
constexpr Duration body_patience = Duration::from_seconds(1);

struct Header {
  std::string name;
  std::string value;
};

bool has_header(const std::vector<Header>& headers, std::string_view name) noexcept {
  return std::any_of(headers.begin(), headers.end(), [name](const Header& header) {
    return http::ascii::equal(header.name, name);
  });
}

/// What a connection needs of its options, to be kept while it is made.
class Plan {
 public:
  Plan(std::string_view to, const WebSocketOptions& wanted)
      : url(to), origin(wanted.origin), options(wanted) {
    for (const HeaderField& field : wanted.headers) {
      headers.push_back({std::string(field.name), std::string(field.value)});
    }
    http::ListReader list(wanted.subprotocols);
    while (!wanted.subprotocols.empty() && list.next()) {
      subprotocols.emplace_back(list.element());
    }
    websocket::check(wanted.compression);
    take_credentials(wanted);
    take_tls(wanted);
    route.proxy = wanted.proxy;
    route.proxy_from_environment = wanted.proxy_from_environment;
    route.source_ip = wanted.source_ip;
  }

  std::string url;
  std::string origin;
  std::string username;
  std::string password;
  std::vector<Header> headers;
  std::vector<std::string> subprotocols;
  Route route;
  WebSocketOptions options;  // of which the views are not to be used

 private:
  void take_credentials(const WebSocketOptions& wanted) {
    username = wanted.username;
    password = wanted.password;
    if (username.empty() && password.empty()) return;
    if (has_header(headers, "Authorization")) {
      throw UsageError("websocket_connect() got username and password and an Authorization field");
    }
    if (username.find(':') != std::string::npos) {
      throw UsageError("a username of Basic authentication has no colon (RFC 7617 §2)");
    }
  }

  void take_tls(const WebSocketOptions& wanted) {
    const bool has_files = !wanted.ca_file.empty() || !wanted.certificate_file.empty();
    if (!wanted.key_file.empty() && wanted.certificate_file.empty()) {
      throw UsageError("websocket_connect() got a key_file without a certificate_file");
    }
    if (wanted.tls != nullptr) {
      if (!*wanted.tls || wanted.tls->is_server()) {
        throw UsageError("websocket_connect() needs a TLSContext made by client()");
      }
      if (has_files || !wanted.verify_certificate) {
        throw UsageError(
            "websocket_connect() got a TLSContext, which says itself whom to trust and what to "
            "show: give ca_file, certificate_file and verify to TLSContext::client()");
      }
      route.tls = *wanted.tls;
    } else if (has_files) {
      route.tls = net::TLSContext::client({.verify = wanted.verify_certificate,
                                           .ca_file = wanted.ca_file,
                                           .certificate_file = wanted.certificate_file,
                                           .key_file = wanted.key_file});
    }
  }
};

/// What a failed attempt leaves to be told beside its code.
class Failure {
 public:
  Failure() = default;
  std::string url;
  std::string body;
  unsigned status = 0;  // of the answer that refuses, once it is known
};

std::error_code refusal(unsigned status) noexcept {
  return {static_cast<int>(status), refused_category()};
}

/// What is meant for one origin only (Fetch §4.4, RFC 9110 §15.4).
void drop_credentials(std::vector<Header>& headers) {
  std::erase_if(headers, [](const Header& header) {
    return http::ascii::equal(header.name, "Authorization") ||
           http::ascii::equal(header.name, "Cookie");
  });
}

/// ws and wss for the four schemes; an error for others.
std::error_code make_websocket(Url& url) {
  const bool named_port = url.port != url.default_port();
  if (url.scheme == "http") url.scheme = "ws";
  if (url.scheme == "https") url.scheme = "wss";
  if (url.scheme != "ws" && url.scheme != "wss") return ClientError::unsupported_scheme;
  if (!named_port) url.port = url.default_port();
  return {};
}

bool same_origin(const Url& one, const Url& other) noexcept {
  return one.scheme == other.scheme && one.host == other.host && one.port == other.port;
}

bool is_redirect(unsigned status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// Turns to where the answer points.
std::error_code follow(const ReceivedHead& answer, Url& url, Plan& plan) {
  const std::string_view location = answer.head().field("location");
  if (location.empty()) return ClientError::bad_redirect;
  auto next = resolve_url(url, location);
  if (!next) return ClientError::bad_redirect;
  if (make_websocket(*next)) return ClientError::bad_redirect;
  if (is_secure(url) && !is_secure(*next)) return ClientError::insecure_redirect;
  const bool keeps_credentials = same_origin(url, *next);
  if (!keeps_credentials) drop_credentials(plan.headers);
  // Those that a server writes into its Location are not ours; the first URL's stay where they
  // belong.
  next->has_user = keeps_credentials && url.has_user;
  next->user = next->has_user ? url.user : std::string();
  next->password = next->has_user ? url.password : std::string();
  url = std::move(*next);
  return {};
}

/// One opening handshake: the request, and what answers it.
class Handshake {
 public:
  Handshake(const Url& url, const Plan& plan) : target_(url.target), host_(url.authority()) {
    websocket::Nonce nonce;
    if (RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) != 1) {
      throw std::runtime_error("no random bytes for a WebSocket's key");
    }
    key_ = websocket::handshake_key(nonce);
    for (const Header& header : plan.headers) fields_.push_back({header.name, header.value});
    if (url.has_user && !has_header(plan.headers, "Authorization")) {
      authorization_ = "Basic " + basic_credentials(url);
      fields_.push_back({"Authorization", authorization_});
    }
    if (!has_header(plan.headers, "User-Agent")) fields_.push_back({"User-Agent", "Squall"});
    subprotocols_.assign(plan.subprotocols.begin(), plan.subprotocols.end());
    said_.target = target_;
    said_.host = host_;
    said_.key = {key_.data(), key_.size()};
    said_.origin = plan.origin;
    said_.subprotocols = subprotocols_;
    said_.compression = plan.options.compression;
    said_.fields = fields_;
  }
  Handshake(const Handshake&) = delete;  // views of its own
  Handshake& operator=(const Handshake&) = delete;

  [[nodiscard]] std::string request() const { return websocket::write_handshake(said_); }
  [[nodiscard]] Result<websocket::ClientAgreement> check(const http::ResponseHead& head) const {
    std::vector<websocket::Field> fields;
    for (std::size_t i = 0; i < head.field_count(); ++i) {
      fields.push_back({head.field_name(i), head.field_value(i)});
    }
    return websocket::check_answer(said_, head.minor_version(), head.status(), fields);
  }

 private:
  std::string target_;
  std::string host_;
  std::string authorization_;
  websocket::HandshakeKey key_{};
  std::vector<websocket::Field> fields_;
  std::vector<std::string_view> subprotocols_;
  websocket::ClientHandshake said_;
};

transport::WebSocketOptions connection_options(const WebSocketOptions& options) {
  transport::WebSocketOptions made;
  made.max_message_bytes = options.max_message_bytes;
  made.max_queue_bytes = options.max_queue_bytes;
  made.max_backlog_bytes = 0;  // max_unread_bytes are what waits
  made.slow_consumer = options.slow_consumer;
  made.ping_interval = options.ping_interval;
  made.ping_timeout = options.ping_timeout;
  made.compression = options.compression;
  made.close_timeout = options.close_timeout;
  made.handling_timeout = Duration();  // the program reads when it likes, and loses nothing
  return made;
}

/// The server has agreed: from the stream of the handshake to the connection.
Result<WebSocket> begin(net::Stream& stream, const ReceivedHead& answer, const Url& url,
                        const websocket::ClientAgreement& agreed, const WebSocketOptions& options) {
  detail::Agreement agreement;
  agreement.url = url.text();
  agreement.head = answer.head().bytes();
  agreement.subprotocol = agreed.subprotocol;
  agreement.deflate = agreed.deflate;
  loop::LoopCore& loop = loop::LoopCore::current();
  auto* const session = new detail::WebSocketSession(
      loop, connection_options(options), options.max_unread_bytes, std::move(agreement));
  WebSocket made(session);
  std::string early(answer.rest());
  std::string unread;
  loop::Stream* const taken = net::detail::take_stream(stream, unread);
  if (taken == nullptr) return ClientError::connection_ended;
  early.append(unread);
  session->start(*taken, early);
  return made;
}

Task<> read_refusal(net::Stream* stream, const ReceivedHead* answer, std::string* body) {
  try {
    co_await with_timeout(body_patience, receive_some_body(stream, answer, http::Method::get,
                                                           limits::refused_body_bytes, body));
  } catch (const TimeoutError&) {
    // What has come will do.
  }
}

Task<Result<WebSocket>> open_websocket(Plan plan, Failure* failure) {
  auto parsed = parse_url(plan.url);
  if (!parsed) co_return parsed.error();
  Url url = std::move(*parsed);
  failure->url = url.text();
  const std::error_code unsuitable = make_websocket(url);
  if (unsuitable) co_return unsuitable;
  if (!plan.username.empty() || !plan.password.empty()) {
    url.has_user = true;
    url.user = plan.username;
    url.password = plan.password;
  }
  for (unsigned redirects = 0;; ++redirects) {
    failure->url = url.text();
    if (is_secure(url) && !plan.route.tls) {
      plan.route.tls = default_tls(plan.options.verify_certificate);
    }
    const Handshake handshake(url, plan);
    std::string request = handshake.request();
    auto opened = co_await open_connection(&url, &plan.route);
    if (!opened) co_return opened.error();
    net::Stream stream = std::move(*opened);
    const auto written = co_await stream.write_owned(std::move(request));
    if (!written) co_return written.error();
    ReceivedHead answer;
    const std::error_code failed = co_await receive_head(&stream, &answer);
    if (failed) co_return failed;
    const unsigned status = answer.head().status();
    if (is_redirect(status) && plan.options.max_redirects > 0) {
      if (redirects == plan.options.max_redirects) co_return ClientError::too_many_redirects;
      const std::error_code astray = follow(answer, url, plan);
      if (astray) co_return astray;
      continue;
    }
    if (status != 101) {
      failure->status = status;
      co_await read_refusal(&stream, &answer, &failure->body);
      co_return refusal(status);
    }
    const auto agreed = handshake.check(answer.head());
    if (!agreed) co_return agreed.error();
    co_return begin(stream, answer, url, *agreed, plan.options);
  }
}

Task<Result<WebSocket>> limited(Plan plan, Failure* failure) {
  const Duration limit = plan.options.connect_timeout;
  Task<Result<WebSocket>> opening = open_websocket(std::move(plan), failure);
  if (limit <= Duration()) co_return co_await opening;
  try {
    co_return co_await with_timeout(limit, std::move(opening));
  } catch (const TimeoutError&) {
    if (failure->status != 0) co_return refusal(failure->status);  // only its body was slow
  }
  co_return std::make_error_code(std::errc::timed_out);
}

Task<Result<WebSocket>> as_result(Plan plan) {
  Failure failure;
  Task<Result<WebSocket>> opening = limited(std::move(plan), &failure);
  co_return co_await opening;
}

Task<WebSocket> or_throw(Plan plan) {
  Failure failure;
  Task<Result<WebSocket>> opening = limited(std::move(plan), &failure);
  auto opened = co_await opening;
  if (!opened) {
    if (failure.url.empty()) failure.url = "that URL";  // it may have a password, and is no URL
    throw WebSocketConnectError(failure.url, opened.error(), failure.body);
  }
  co_return std::move(*opened);
}

}  // namespace

Task<WebSocket> websocket_connect(std::string_view url, const WebSocketOptions& options) {
  return or_throw(Plan(url, options));
}

Task<Result<WebSocket>> try_websocket_connect(std::string_view url,
                                              const WebSocketOptions& options) {
  return as_result(Plan(url, options));
}

}  // namespace squall::client
