// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.hpp"

#include "fuzz.hpp"

#include <algorithm>
#include <string>

// A form: the first line is its Content-Type, the rest its body. However that is cut, the same
// parts come out, within the limits.

namespace {

using namespace squall::http;

template <class Next>
std::string parse(std::string_view type, std::string_view body, const MultipartLimits& limits,
                  Next next) {
  auto parser = MultipartParser::create(type, limits);
  if (!parser) return "refused " + parser.error().message();
  std::string text;
  std::size_t parts = 0;
  bool done = false;
  while (!body.empty()) {
    const fuzz::Exact piece(body.substr(0, std::min(next(), body.size())));
    std::string_view rest = piece.view();
    for (;;) {
      const auto step = parser->next(rest);
      // How much has come out by then depends on the cuts.
      if (!step) return "error " + step.error().message();
      fuzz::check(step->consumed <= rest.size(), "no more is taken than there is");
      rest.remove_prefix(step->consumed);
      using Event = MultipartParser::Event;
      if (step->event == Event::need_more) {
        fuzz::check(rest.empty(), "more is needed only when all is used up");
        break;
      }
      if (step->event == Event::done) {
        done = true;
        break;
      }
      if (step->event == Event::data) {
        fuzz::check(!step->data.empty(), "data is never empty");
        text += step->data;
      } else if (step->event == Event::part_begin) {
        const PartHead& part = parser->part();
        text.append("\n[").append(part.name()).append("|").append(part.filename());
        text.append("|").append(part.content_type()).append("]");
        fuzz::check(++parts <= limits.max_parts, "parts are limited");
      } else {
        text += "[end]";
      }
    }
    body.remove_prefix(piece.view().size());
    if (done) break;
  }
  const auto whole = parser->finish();
  fuzz::check(whole.has_value() == done, "it is whole once it is done");
  return text + (done ? " done" : " cut off");
}

}  // namespace

void fuzz::run(std::string_view input) {
  fuzz::Random random(input);
  const std::string_view type = fuzz::take(input);
  MultipartLimits narrow;
  narrow.max_parts = 3;
  narrow.max_part_head = 100;
  narrow.max_fields = 2;
  narrow.max_preamble = 20;
  narrow.max_bytes = 500;
  for (const MultipartLimits& limits : {MultipartLimits(), narrow}) {
    const std::string whole = parse(type, input, limits, [&] { return input.size(); });
    check_same(parse(type, input, limits, [&] { return random.up_to(40); }), whole, "in pieces");
    if (input.size() > 2000) continue;
    check_same(parse(type, input, limits, [] { return std::size_t{1}; }), whole, "byte by byte");
  }
}
