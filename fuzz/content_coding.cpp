// SPDX-License-Identifier: Apache-2.0
#include "http/content_coding.hpp"

#include "fuzz.hpp"
#include "http/content_decoder.hpp"
#include "http/content_encoder.hpp"

#include <algorithm>
#include <string>

// Coded content: the first line is its Content-Encoding, the rest the bytes. However these are cut,
// the same comes out, and never more than the limit. What is encoded here can be decoded.

namespace {

using namespace squall::http;

constexpr std::uint64_t most_bytes = 100'000;

template <class Next>
std::string decode(std::string_view coding, std::string_view bytes, Next next) {
  DecoderLimits limits;
  limits.max_bytes = most_bytes;
  auto decoder = ContentDecoder::create(coding, limits);
  if (!decoder) return "refused " + decoder.error().message();
  std::string out;
  while (!bytes.empty()) {
    const fuzz::Exact piece(bytes.substr(0, std::min(next(), bytes.size())));
    std::string_view rest = piece.view();
    for (;;) {
      const auto step = decoder->next(rest);
      // How much of bad content comes out before it is noticed depends on the cuts.
      if (!step) return "error";
      fuzz::check(step->consumed <= rest.size(), "no more is taken than there is");
      rest.remove_prefix(step->consumed);
      out += step->data;
      fuzz::check(out.size() <= most_bytes, "the limit holds");
      if (step->data.empty()) break;
    }
    fuzz::check(rest.empty(), "all is used up");
    bytes.remove_prefix(piece.view().size());
  }
  return out + (decoder->finish().has_value() ? " whole" : " cut off");
}

void check_round(ContentCoding coding, std::string_view text, fuzz::Random& random) {
  std::string coded;
  ContentEncoder encoder(coding);
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t size = std::min(random.up_to(500), rest.size());
    encoder.write(rest.substr(0, size), coded);
    rest.remove_prefix(size);
    if (random.up_to(4) == 1) encoder.flush(coded);
  }
  encoder.finish(coded);
  const std::string back = decode(to_string(coding), coded, [&] { return random.up_to(300); });
  const std::string wanted = std::string(text) + " whole";
  if (coded.empty()) return;
  fuzz::check_same(back, wanted, "what is encoded can be decoded");
}

}  // namespace

void fuzz::run(std::string_view input) {
  fuzz::Random random(input);
  const std::string_view coding = fuzz::take(input);
  static_cast<void>(is_compressible(coding));
  const std::string whole = decode(coding, input, [&] { return input.size(); });
  check_same(decode(coding, input, [&] { return random.up_to(40); }), whole, "in pieces");
  constexpr ContentCoding codings[] = {ContentCoding::gzip, ContentCoding::br, ContentCoding::zstd};
  check_round(codings[random.up_to(3) - 1], input, random);
}
