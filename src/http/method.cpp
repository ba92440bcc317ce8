// SPDX-License-Identifier: Apache-2.0
#include <squall/http/method.hpp>

namespace squall::http {
namespace {

constexpr std::string_view names[method_count] = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
};

Method if_named(std::string_view name, Method method) noexcept {
  return name == names[static_cast<unsigned>(method)] ? method : Method::unknown;
}

}  // namespace

std::string_view to_string(Method method) noexcept {
  const auto index = static_cast<unsigned>(method);
  return index < method_count ? names[index] : std::string_view();
}

Method parse_method(std::string_view name) noexcept {
  switch (name.size()) {
    case 3:
      return if_named(name, name[0] == 'G' ? Method::get : Method::put);
    case 4:
      return if_named(name, name[0] == 'H' ? Method::head : Method::post);
    case 5:
      return if_named(name, name[0] == 'T' ? Method::trace : Method::patch);
    case 6:
      return if_named(name, Method::delete_);
    case 7:
      return if_named(name, name[0] == 'C' ? Method::connect : Method::options);
    default:
      return Method::unknown;
  }
}

}  // namespace squall::http
