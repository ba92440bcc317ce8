// SPDX-License-Identifier: Apache-2.0
#include "http/head_parser.hpp"

#include <benchmark/benchmark.h>

#include <string_view>

namespace {

using namespace squall::http;

constexpr std::string_view wrk_head = "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";

constexpr std::string_view curl_head =
    "GET /api/items?limit=10 HTTP/1.1\r\n"
    "Host: localhost:8080\r\n"
    "User-Agent: curl/7.88.1\r\n"
    "Accept: */*\r\n\r\n";

constexpr std::string_view browser_head =
    "GET /static/chat/index.html?v=3f2a%20b HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "Connection: keep-alive\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    "\r\n"
    "Referer: https://www.example.com/static/chat/\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "If-None-Match: \"33a64df551425fcc55e4d42a148795d9f25f89d4\"\r\n"
    "Cookie: session=6b1c0f0e2d8a4c7f9a51e1f0b7d2c3a4; theme=dark; _xsrf=2|9f8e7d6c|0123456789\r\n"
    "\r\n";

// One head, parsed and framed whole, as the server does for each request of a read.
void parse_whole(benchmark::State& state, std::string_view bytes) {
  RequestHead head;
  RequestHeadParser parser;
  const HeadLimits limits;
  for (auto _ : state) {
    benchmark::DoNotOptimize(bytes);
    parser.reset();
    benchmark::DoNotOptimize(parser.parse(bytes, head, limits));
    benchmark::DoNotOptimize(frame_request(head));
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK_CAPTURE(parse_whole, wrk, wrk_head);
BENCHMARK_CAPTURE(parse_whole, curl, curl_head);
BENCHMARK_CAPTURE(parse_whole, browser, browser_head);

// The same head in pieces of 16 bytes: what a slow sender costs.
void parse_in_pieces(benchmark::State& state, std::string_view bytes) {
  RequestHead head;
  RequestHeadParser parser;
  const HeadLimits limits;
  for (auto _ : state) {
    parser.reset();
    for (std::size_t size = 0; size < bytes.size();) {
      size = std::min(size + 16, bytes.size());
      benchmark::DoNotOptimize(parser.parse(bytes.substr(0, size), head, limits));
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(parse_in_pieces, browser, browser_head);

}  // namespace

BENCHMARK_MAIN();
