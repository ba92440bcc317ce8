// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "http/chunked_decoder.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <string>

// A chunked body with its trailer section: however it is cut, the same comes out.

namespace {

using namespace squall::http;

template <class Next>
std::string decode(std::string_view bytes, Next next) {
  std::string text, body;
  ChunkedDecoder decoder;
  std::size_t taken = 0;
  bool done = false;
  while (taken != bytes.size() && !done) {
    const fuzz::Exact piece(bytes.substr(taken, std::min(next(), bytes.size() - taken)));
    std::string_view rest = piece.view();
    while (!rest.empty() && !done) {
      const auto step = decoder.next(rest);
      if (!step) return "error " + step.error().message() + " after " + body;
      fuzz::check(step->consumed <= rest.size(), "no more is taken than there is");
      fuzz::check(step->data.empty() || fuzz::is_within(step->data, rest),
                  "data lies in the input");
      fuzz::check(!step->data.empty() || step->done || step->consumed == rest.size(),
                  "there is progress");
      body += step->data;
      taken += step->consumed;
      done = step->done;
      rest.remove_prefix(step->consumed);
    }
  }
  text = body + "|" + std::to_string(taken) + (done ? " done" : " goes on");
  if (!done) return text;
  std::size_t count = 0;
  for (const auto& [name, value] : decoder.trailers()) {
    fuzz::check(is_token(name) && is_trailer_allowed(name), "a trailer's name is allowed");
    fuzz::check(is_field_value(value), "a trailer's value is one");
    text.append("|").append(name).append("=").append(value);
    ++count;
  }
  fuzz::check(count <= squall::limits::field_count, "trailers are limited");
  fuzz::check((count == 0) == decoder.trailers().empty(), "empty() says so");
  return text;
}

}  // namespace

void fuzz::run(std::string_view input) {
  fuzz::Random random(input);
  const std::string whole = decode(input, [&] { return input.size(); });
  check_same(decode(input, [&] { return random.up_to(40); }), whole, "in pieces");
  if (input.size() > 2000) return;
  check_same(decode(input, [] { return std::size_t{1}; }), whole, "byte by byte");
}
