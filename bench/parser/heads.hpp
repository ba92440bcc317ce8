// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The request heads that the parsers are measured with.
namespace heads {

struct Head {
  const char* name;
  std::string bytes;
};

inline constexpr std::string_view wrk = "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";

inline constexpr std::string_view curl =
    "GET /api/items?limit=10&after=2f9c HTTP/1.1\r\n"
    "Host: localhost:8080\r\n"
    "User-Agent: curl/7.88.1\r\n"
    "Accept: */*\r\n\r\n";

inline constexpr std::string_view curl_post =
    "POST /api/v1/items HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "User-Agent: curl/7.88.1\r\n"
    "Accept: */*\r\n"
    "Authorization: Bearer "
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6"
    "IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 48\r\n\r\n";

// A page opened from a link.
inline constexpr std::string_view chrome =
    "GET /static/chat/index.html?v=3f2a%20b HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "sec-ch-ua: \"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36\r\n"
    "Accept: "
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-User: ?1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Referer: https://www.example.com/static/chat/\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "If-None-Match: \"33a64df551425fcc55e4d42a148795d9f25f89d4\"\r\n"
    "Cookie: session=6b1c0f0e2d8a4c7f9a51e1f0b7d2c3a4; theme=dark; _xsrf=2|9f8e7d6c|0123456789\r\n"
    "\r\n";

// What fetch() sends with a JSON body, from a page with the usual load of cookies.
inline constexpr std::string_view chrome_post =
    "POST /api/v2/rooms/4711/messages HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "Connection: keep-alive\r\n"
    "Content-Length: 62\r\n"
    "sec-ch-ua-platform: \"Windows\"\r\n"
    "X-Requested-With: XMLHttpRequest\r\n"
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36\r\n"
    "Accept: application/json, text/plain, */*\r\n"
    "sec-ch-ua: \"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\n"
    "Content-Type: application/json;charset=UTF-8\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "Origin: https://www.example.com\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Dest: empty\r\n"
    "Referer: https://www.example.com/rooms/4711\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en-US;q=0.9,en;q=0.8\r\n"
    "Cookie: _ga=GA1.2.1583294511.1700000000; _gid=GA1.2.981243212.1714000000; "
    "_fbp=fb.1.1700000000000.1234567890; "
    "consent=%7B%22necessary%22%3Atrue%2C%22stats%22%3Afalse%7D; "
    "session=eyJ1c2VyIjo0NzExLCJyb2xlcyI6WyJhZG1pbiIsImVkaXRvciJdfQ.ZkJt3A."
    "7pX1Yb2k0ZqvJtq4m0s5u8w9x0y; "
    "csrftoken=Zr8Qv1cJ0n2d4s6g8k0m2p4r6t8w0y2A4C6E8G0I2K4M6O8Q0S2U4W6Y8a0c2e4g; locale=en-GB\r\n"
    "\r\n";

inline constexpr std::string_view chrome_websocket =
    "GET /ws HTTP/1.1\r\n"
    "Host: localhost:8888\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36\r\n"
    "Upgrade: websocket\r\n"
    "Origin: http://localhost:8888\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "\r\n";

inline constexpr std::string_view firefox =
    "GET /articles/2024/05/asynchronous-programming?utm_source=feed HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    "\r\n"
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "DNT: 1\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=6b1c0f0e2d8a4c7f9a51e1f0b7d2c3a4; theme=dark\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: none\r\n"
    "Sec-Fetch-User: ?1\r\n"
    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "\r\n";

/// As many fields as are allowed, their values `value_bytes` long.
inline std::string hundred_fields(std::size_t value_bytes) {
  std::string head = "GET /hundred HTTP/1.1\r\nHost: www.example.com\r\n";
  for (int i = 1; i < 100; ++i) {
    head += "X-Field-" + std::to_string(i) + ": " +
            std::string(value_bytes, static_cast<char>('a' + i % 26)) + "\r\n";
  }
  return head + "\r\n";
}

inline const std::vector<Head>& all() {
  static const std::vector<Head> list = {
      {"wrk", std::string(wrk)},
      {"curl", std::string(curl)},
      {"curl_post", std::string(curl_post)},
      {"firefox", std::string(firefox)},
      {"chrome", std::string(chrome)},
      {"chrome_post", std::string(chrome_post)},
      {"chrome_websocket", std::string(chrome_websocket)},
      {"hundred_short", hundred_fields(4)},
      {"hundred_long", hundred_fields(80)},
  };
  return list;
}

/// The heads of clients one after the other, and each a little different: with one head over and
/// over, the branch predictor knows every length by heart, which no server's does.
inline std::vector<std::string> traffic() {
  std::vector<std::string> list;
  unsigned random = 1;
  for (int i = 0; i < 2000; ++i) {
    random = random * 1103515245U + 12345U;
    std::string bytes = all()[random / 65536 % 7].bytes;  // the hundreds are no ordinary traffic
    const std::size_t target_end = bytes.find(" HTTP/1.1");
    bytes.insert(target_end, std::string(random / 4096 % 29, 'x'));
    random = random * 1103515245U + 12345U;
    const std::string value(random / 65536 % 60, 'y');
    bytes.insert(bytes.find("\r\n") + 2, "X-Request-Id: " + value + "\r\n");
    list.push_back(std::move(bytes));
  }
  return list;
}

}  // namespace heads
