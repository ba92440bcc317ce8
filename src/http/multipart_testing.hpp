// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/multipart.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

/// What the tests of the multipart parser share.
namespace squall::http {

/// A body as it was understood, as text: "[name|filename|type]data;" for each part, then "done", or
/// "error: ...". Fed in pieces of `piece` bytes after a first one of `first`, each from a block of
/// exactly its size.
inline std::string parse_multipart(std::string_view content_type, std::string_view body,
                                   std::size_t first, std::size_t piece,
                                   const MultipartLimits& limits = {}) {
  using Event = MultipartParser::Event;
  Result<MultipartParser> parser = MultipartParser::create(content_type, limits);
  if (!parser) return "error: " + parser.error().message();
  std::string text;
  bool done = false;
  std::size_t size = first;
  for (std::size_t at = 0; at < body.size(); at += size, size = piece) {
    const std::string_view part = body.substr(at, size);
    const auto exact = std::make_unique<char[]>(part.size());
    part.copy(exact.get(), part.size());
    std::string_view rest(exact.get(), part.size());
    for (bool more = true; more;) {
      const auto step = parser->next(rest);
      if (!step) return text + "error: " + step.error().message();
      rest.remove_prefix(step->consumed);
      switch (step->event) {
        case Event::part_begin:
          text.append("[").append(parser->part().name()).append("|");
          if (parser->part().has_filename()) text.append(parser->part().filename());
          text.append("|").append(parser->part().content_type()).append("]");
          break;
        case Event::data:
          text += step->data.empty() ? "EMPTY" : step->data;
          break;
        case Event::part_end:
          text += ";";
          break;
        case Event::done:
          done = true;
          [[fallthrough]];
        case Event::need_more:
          if (!rest.empty()) return text + "error: bytes are left";
          more = false;
      }
    }
  }
  const auto end = parser->finish();
  if (!end) return text + "error: " + end.error().message();
  return text + (done ? "done" : "error: no event told the end");
}

}  // namespace squall::http
