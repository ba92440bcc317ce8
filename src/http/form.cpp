// SPDX-License-Identifier: Apache-2.0
#include "http/form.hpp"

#include "http/percent.hpp"

namespace squall::http {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.http.form"; }
  std::string message(int value) const override {
    return static_cast<FormError>(value) == FormError::too_many_arguments ? "too many arguments"
                                                                          : "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(FormError error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

std::uint16_t status_for(FormError) noexcept { return 400; }

Result<void> parse_form(std::string_view encoded,
                        std::vector<std::pair<std::string, std::string>>& out,
                        std::size_t argument_limit) {
  std::size_t count = 0;
  while (!encoded.empty()) {
    const std::size_t separator = encoded.find('&');
    const std::string_view piece = encoded.substr(0, separator);
    encoded.remove_prefix(separator == std::string_view::npos ? encoded.size() : separator + 1);
    if (piece.empty()) continue;
    if (++count > argument_limit) return FormError::too_many_arguments;
    const std::size_t equals = piece.find('=');
    const bool has_value = equals != std::string_view::npos;
    out.emplace_back(
        percent_decode(piece.substr(0, equals), Plus::space),
        has_value ? percent_decode(piece.substr(equals + 1), Plus::space) : std::string());
  }
  return {};
}

}  // namespace squall::http
