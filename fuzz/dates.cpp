// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "http/date.hpp"

#include <cstring>

// HTTP dates: what is read can be written, and is read again as the same.

void fuzz::run(std::string_view input) {
  using namespace squall::http;
  const auto again = [](std::int64_t seconds) {
    char text[http_date_size];
    format_http_date(seconds, text);
    return parse_http_date({text, sizeof text});
  };
  // The year 0, and the leap second that ends the year 9999, can be read and not written.
  constexpr std::int64_t first_second = -62'135'596'800, end_of_years = 253'402'300'800;
  const auto can_be_written = [&again](std::int64_t seconds) {
    return seconds < first_second || seconds == end_of_years || again(seconds) == seconds;
  };
  if (const auto seconds = parse_http_date(input)) {
    check(can_be_written(*seconds), "a date that was read can be written");
  }
  std::int64_t number = 0;
  if (input.size() < sizeof number) return;
  std::memcpy(&number, input.data(), sizeof number);
  const auto moved = again(number);
  check(moved.has_value(), "every time can be written");
  check(again(*moved) == moved, "and then stays");
  // Any number may be given as the present; one that can be the present makes a date.
  const auto near = parse_http_date(input.substr(sizeof number), number);
  const bool possible = number > 0 && number < end_of_years;
  check(!near || !possible || can_be_written(*near), "a date near the present can be written");
}
