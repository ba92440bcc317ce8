// SPDX-License-Identifier: Apache-2.0
#include "http/ascii.hpp"

#include <squall/base/error.hpp>
#include <squall/json.hpp>
#include <squall/testing/response.hpp>

#include <algorithm>

namespace squall::testing {

std::string_view Response::header(std::string_view name) const noexcept {
  for (const auto& [known, value] : fields_) {
    if (http::ascii::equal(known, name)) return value;
  }
  return {};
}

bool Response::has_header(std::string_view name) const noexcept {
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const auto& field) { return http::ascii::equal(field.first, name); });
}

std::vector<std::string_view> Response::headers(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const auto& [known, value] : fields_) {
    if (http::ascii::equal(known, name)) found.push_back(value);
  }
  return found;
}

json::value Response::json() const {
  boost::system::error_code error;
  json::value document = json::parse(body_, error);
  if (error) {
    constexpr std::size_t shown = 200;
    throw Error("the body is not JSON (" + error.message() + "): " + body_.substr(0, shown));
  }
  return document;
}

}  // namespace squall::testing
