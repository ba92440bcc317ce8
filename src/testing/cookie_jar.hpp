// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace squall::testing {

/// The cookies that an application has set, by name alone.
class CookieJar {
 public:
  /// Takes the value of a Set-Cookie field (RFC 6265 §5.2): sets its cookie, or removes it when
  /// Max-Age or Expires says that its time is over.
  void take(std::string_view set_cookie);
  /// What a Cookie field says; "" when there is none.
  [[nodiscard]] std::string field() const;
  [[nodiscard]] std::string value(std::string_view name) const;
  void clear() noexcept { values_.clear(); }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace squall::testing
