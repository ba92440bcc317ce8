// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/application.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {

/// Writes the page of an error for those who develop: what was thrown and where, the request, the
/// settings; as text to clients that do not ask for HTML. Secrets are left out.
void write_debug_page(RequestHandler& handler, std::string_view title,
                      const std::exception_ptr& error);

using NamedValues = std::vector<std::pair<std::string, std::string>>;

/// The settings as text; of a secret, only whether it is set.
[[nodiscard]] NamedValues describe_settings(const Application::Impl& application);

}  // namespace squall::web
