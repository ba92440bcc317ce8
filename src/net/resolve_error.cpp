// SPDX-License-Identifier: Apache-2.0
#include <squall/net/resolver.hpp>

namespace squall::net {
namespace {

class ResolveCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "resolve"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<ResolveError>(value)) {
      case ResolveError::host_not_found:
        return "the host name is not known";
      case ResolveError::no_address:
        return "the host name has no address of this family";
      case ResolveError::try_again:
        return "the name server does not answer now";
      case ResolveError::failed:
        return "the name server failed";
      case ResolveError::family_not_supported:
        return "addresses of this family are not supported";
      case ResolveError::out_of_memory:
        return "not enough memory to resolve a name";
      case ResolveError::bad_name:
        return "that is not a host name";
      case ResolveError::too_many_lookups:
        return "too many names are looked up at a time";
      case ResolveError::closed:
        return "the resolver is closed";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& resolve_category() noexcept {
  static const ResolveCategory category;
  return category;
}

std::error_code make_error_code(ResolveError error) noexcept {
  return {static_cast<int>(error), resolve_category()};
}

}  // namespace squall::net
