// SPDX-License-Identifier: Apache-2.0
#include "http/content_decoder.hpp"
#include "http/content_encoder.hpp"
#include "http/multipart.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

// codings encode|decode NAME [PIECE]: standard input to standard output, in pieces of that size.
// codings form CONTENT-TYPE [PIECE]: a line for each part: name, filename or "-", type, data, in
// hex.
namespace {

using squall::http::ContentDecoder;
using squall::http::ContentEncoder;

std::string read_all() {
  std::string text;
  char room[65536];
  for (std::size_t got; (got = std::fread(room, 1, sizeof room, stdin)) != 0;) {
    text.append(room, got);
  }
  return text;
}

int encode(std::string_view name, std::string_view in, std::size_t piece, std::string& out) {
  ContentEncoder encoder(squall::http::content_coding(name).value());
  for (std::size_t at = 0; at < in.size(); at += piece) {
    encoder.write(in.substr(at, piece), out);
    if ((at / piece) % 7 == 6) encoder.flush(out);
  }
  encoder.finish(out);
  return 0;
}

int decode(std::string_view name, std::string_view in, std::size_t piece, std::string& out) {
  auto decoder = ContentDecoder::create(name, {.max_bytes = 1U << 30});
  if (!decoder) return 2;
  for (std::size_t at = 0; at < in.size(); at += piece) {
    std::string_view rest = in.substr(at, piece);
    for (;;) {
      const auto step = decoder->next(rest);
      if (!step) {
        std::fprintf(stderr, "%s\n", step.error().message().c_str());
        return 1;
      }
      rest.remove_prefix(step->consumed);
      if (step->data.empty()) break;
      out += step->data;
    }
  }
  const auto end = decoder->finish();
  if (!end) std::fprintf(stderr, "%s\n", end.error().message().c_str());
  return end ? 0 : 1;
}

std::string hex(std::string_view text) {
  std::string out = "x";
  for (const char c : text) {
    constexpr char digits[] = "0123456789abcdef";
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[c & 15];
  }
  return out;
}

int form(std::string_view type, std::string_view in, std::size_t piece, std::string& out) {
  using Event = squall::http::MultipartParser::Event;
  auto parser = squall::http::MultipartParser::create(type);
  if (!parser) return 2;
  std::string data;
  for (std::size_t at = 0; at < in.size(); at += piece) {
    std::string_view rest = in.substr(at, piece);
    for (bool more = true; more;) {
      const auto step = parser->next(rest);
      if (!step) {
        std::fprintf(stderr, "%s\n", step.error().message().c_str());
        return 1;
      }
      rest.remove_prefix(step->consumed);
      data += step->data;
      more = step->event != Event::need_more && step->event != Event::done;
      if (step->event == Event::part_begin) data.clear();
      if (step->event != Event::part_end) continue;
      const auto& part = parser->part();
      out += hex(part.name()) + " " + (part.has_filename() ? hex(part.filename()) : "-") + " " +
             hex(part.content_type()) + " " + hex(data) + "\n";
    }
  }
  return parser->finish() ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  const std::string in = read_all();
  const std::size_t piece = count > 3 ? std::strtoul(arguments[3], nullptr, 10) : in.size() + 1;
  const std::string_view verb = arguments[1];
  std::string out;
  const int status = (verb == "encode"   ? encode
                      : verb == "decode" ? decode
                                         : form)(arguments[2], in, piece, out);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return status;
}
