// SPDX-License-Identifier: Apache-2.0
#include "client/proxy.hpp"

#include "base/base64.hpp"
#include "client/receive_head.hpp"
#include "http/ascii.hpp"

#include <squall/client/client_error.hpp>
#include <squall/net/address.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>

namespace squall::client {
namespace {

std::string first_in_environment(std::initializer_list<const char*> names) {
  for (const char* const name : names) {
    const char* const value = std::getenv(name);  // NOLINT: read as other programs read it
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

bool names_host(std::string_view entry, const Url& url) noexcept {
  const std::size_t colon = entry.rfind(':');
  // A port, unless the colon is one of an IPv6 address.
  if (colon != std::string_view::npos && entry.find(':') == colon) {
    if (entry.substr(colon + 1) != std::to_string(url.port)) return false;
    entry = entry.substr(0, colon);
  }
  if (entry.size() > 2 && entry.front() == '[' && entry.back() == ']') {
    entry = entry.substr(1, entry.size() - 2);
  }
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  const std::string_view host = url.host;
  if (entry.empty() || host.size() < entry.size()) return false;
  if (!http::ascii::equal(host.substr(host.size() - entry.size()), entry)) return false;
  return host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.';
}

// CONNECT (RFC 9110 §9.3.6).

Task<std::error_code> connect_by_http(net::Stream* stream, const Url* proxy, const Url* target) {
  const std::string authority = target->host_and_port();
  std::string request = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
  if (proxy->has_user) {
    request.append("Proxy-Authorization: Basic ").append(basic_credentials(*proxy)).append("\r\n");
  }
  request.append("\r\n");
  const auto written = co_await stream->write_owned(std::move(request));
  if (!written) co_return written.error();
  ReceivedHead answer;
  const std::error_code failed = co_await receive_head(stream, &answer);
  if (failed) {
    const bool is_odd = failed.category() == make_error_code(http::HeadError{}).category();
    co_return is_odd ? make_error_code(ClientError::bad_proxy_answer) : failed;
  }
  const unsigned status = answer.head().status();
  // RFC 9110 §11.7 has 407 only, and so answers tinyproxy 1.11 to no credentials; to wrong ones it
  // says 401. It cannot be the server's: nothing has been sent there yet.
  if (status == 407 || status == 401) co_return ClientError::proxy_unauthorized;
  if (status / 100 != 2) co_return ClientError::proxy_refused;
  // Nobody speaks before us in the protocols that go through here: it is the proxy's own.
  if (!answer.rest().empty()) co_return ClientError::bad_proxy_answer;
  co_return std::error_code();
}

// SOCKS5 (RFC 1928), user and password (RFC 1929).

constexpr char version = 5;
constexpr char no_authentication = 0;
constexpr char user_and_password = 2;

void append_counted(std::string& bytes, std::string_view text) {
  bytes.push_back(static_cast<char>(text.size()));
  bytes.append(text);
}

std::error_code error_of_reply(char reply) noexcept {
  switch (reply) {
    case 0:
      return {};
    case 3:
      return std::make_error_code(std::errc::network_unreachable);
    case 4:
      return std::make_error_code(std::errc::host_unreachable);
    case 5:
      return std::make_error_code(std::errc::connection_refused);
    default:
      return ClientError::proxy_refused;
  }
}

/// Exactly `bytes`; an end before that is the proxy's.
Task<Result<std::string>> receive(net::Stream* stream, std::size_t bytes) {
  auto got = co_await stream->read_exactly(bytes);
  if (!got && got.error() == net::StreamError::end_of_stream) {
    co_return ClientError::bad_proxy_answer;
  }
  co_return got;
}

Task<std::error_code> authenticate(net::Stream* stream, const Url* proxy) {
  if (proxy->user.size() > 255 || proxy->password.size() > 255) {
    co_return ClientError::proxy_unauthorized;
  }
  std::string request(1, '\1');
  append_counted(request, proxy->user);
  append_counted(request, proxy->password);
  const auto written = co_await stream->write(request);
  if (!written) co_return written.error();
  const auto answer = co_await receive(stream, 2);
  if (!answer) co_return answer.error();
  if ((*answer)[1] != 0) co_return ClientError::proxy_unauthorized;
  co_return std::error_code();
}

std::string socks_request(const Url& target) {
  std::string request{version, '\1', '\0'};
  const net::SocketAddress address = net::SocketAddress::parse(target.host, target.port);
  if (address.family() == net::SocketAddress::Family::none) {
    request.push_back('\3');
    append_counted(request, target.host);
  } else {
    const bool is_ipv6 = address.family() == net::SocketAddress::Family::ipv6;
    request.push_back(is_ipv6 ? '\4' : '\1');
    request.append(reinterpret_cast<const char*>(address.bytes()), is_ipv6 ? 16 : 4);
  }
  request.push_back(static_cast<char>(target.port >> 8));
  request.push_back(static_cast<char>(target.port & 0xff));
  return request;
}

Task<std::error_code> connect_by_socks(net::Stream* stream, const Url* proxy, const Url* target) {
  if (target->host.size() > 255) co_return ClientError::proxy_refused;
  std::string greeting{version, '\1', no_authentication};
  if (proxy->has_user) greeting = {version, '\2', no_authentication, user_and_password};
  const auto greeted = co_await stream->write(greeting);
  if (!greeted) co_return greeted.error();
  const auto method = co_await receive(stream, 2);
  if (!method) co_return method.error();
  if ((*method)[0] != version) co_return ClientError::bad_proxy_answer;
  if ((*method)[1] == user_and_password && proxy->has_user) {
    const std::error_code refused = co_await authenticate(stream, proxy);
    if (refused) co_return refused;
  } else if ((*method)[1] != no_authentication) {
    co_return ClientError::proxy_unauthorized;
  }
  const std::string request = socks_request(*target);
  const auto asked = co_await stream->write(request);
  if (!asked) co_return asked.error();
  const auto reply = co_await receive(stream, 5);
  if (!reply) co_return reply.error();
  if ((*reply)[0] != version) co_return ClientError::bad_proxy_answer;
  const std::error_code refused = error_of_reply((*reply)[1]);
  if (refused) co_return refused;
  // The rest of the address that it has bound, of which the first byte is here, and a port.
  std::size_t rest = 0;
  switch ((*reply)[3]) {
    case 1:
      rest = 4 - 1 + 2;
      break;
    case 3:
      rest = static_cast<unsigned char>((*reply)[4]) + std::size_t{2};
      break;
    case 4:
      rest = 16 - 1 + 2;
      break;
    default:
      co_return ClientError::bad_proxy_answer;
  }
  const auto bound = co_await receive(stream, rest);
  co_return bound.error();
}

}  // namespace

Result<Url> parse_proxy(std::string_view text) {
  const bool has_scheme = text.find("://") != std::string_view::npos;
  auto url = parse_url(has_scheme ? std::string(text) : "http://" + std::string(text));
  if (!url) return ClientError::bad_proxy;
  if (url->scheme == "https") return ClientError::secure_proxy;
  if (url->scheme != "http" && url->scheme != "socks5" && url->scheme != "socks5h") {
    return ClientError::bad_proxy;
  }
  return url;
}

bool is_excepted(std::string_view list, const Url& url) noexcept {
  while (!list.empty()) {
    const std::size_t end = list.find_first_of(", ");
    const std::string_view entry = list.substr(0, end);
    if (entry == "*" || names_host(entry, url)) return true;
    if (end == std::string_view::npos) break;
    list.remove_prefix(end + 1);
  }
  return false;
}

std::string proxy_of_environment(const Url& url) {
  if (is_excepted(first_in_environment({"no_proxy", "NO_PROXY"}), url)) return {};
  const bool is_secure = url.scheme == "wss" || url.scheme == "https";
  std::string proxy = is_secure ? first_in_environment({"https_proxy", "HTTPS_PROXY"})
                                : first_in_environment({"http_proxy"});
  if (proxy.empty()) proxy = first_in_environment({"all_proxy", "ALL_PROXY"});
  return proxy;
}

std::string basic_credentials(const Url& url) {
  return encode_base64(url.user + ":" + url.password);
}

Task<std::error_code> connect_through(net::Stream* stream, const Url* proxy, const Url* target) {
  return proxy->scheme == "http" ? connect_by_http(stream, proxy, target)
                                 : connect_by_socks(stream, proxy, target);
}

}  // namespace squall::client
