// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "http/head_parser.hpp"
#include "http/preconditions.hpp"
#include "http/range.hpp"

#include <string>

// Ranges of representations of several sizes; and a request's conditions, of the lines that follow.

namespace {

using namespace squall::http;

void check_ranges(std::string_view field, std::uint64_t size) {
  const RangeSet set = select_ranges(field, size);
  const auto ranges = set.ranges();
  fuzz::check((set.outcome() == RangeSet::Outcome::partial) == !ranges.empty(),
              "ranges are there when they are to be sent");
  fuzz::check(ranges.size() <= squall::limits::range_count, "they are limited");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    fuzz::check(ranges[i].size > 0 && ranges[i].first < size, "none is empty or begins behind");
    fuzz::check(ranges[i].size <= size - ranges[i].first, "none goes past the end");
    for (std::size_t j = 0; j < i; ++j) {
      fuzz::check(ranges[i].first > ranges[j].end() || ranges[j].first > ranges[i].end(),
                  "none overlaps or touches another");
    }
    sum += ranges[i].size;
  }
  fuzz::check(sum <= size, "no more is sent than there is");
  if (ranges.size() < 2) return;
  const MultipartRanges parts(ranges, size, "text/plain", "boundary");
  std::uint64_t length = sum + parts.tail().size();
  for (std::size_t i = 0; i < ranges.size(); ++i) length += parts.head(i).size();
  fuzz::check(parts.content_length() == length, "the length is known beforehand");
}

void check_conditions(std::string_view fields) {
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
  text.append(fields).append("\r\n\r\n");
  RequestHead head;
  RequestHeadParser parser;
  if (parser.parse(text, head, {}) != RequestHeadParser::Status::done) return;
  for (const std::string_view etag : {"", "\"a\"", "W/\"a\""}) {
    Validators current;
    current.etag = etag;
    if (etag != "\"a\"") current.last_modified = 784'111'777;
    const Precondition result = evaluate_preconditions(head, current, 1'700'000'000);
    const bool range = if_range_holds(head, current, 1'700'000'000);
    fuzz::check(result == Precondition::proceed || is_conditional(head),
                "only what is conditional does not proceed");
    fuzz::check(range || head.has(FieldId::if_range), "only If-Range takes a range away");
  }
}

}  // namespace

void fuzz::run(std::string_view input) {
  const std::string_view field = fuzz::take(input);
  for (const std::uint64_t size : {0U, 1U, 10U, 1000U}) check_ranges(field, size);
  check_ranges(field, ~std::uint64_t{0} >> 1);
  check_conditions(input);
}
