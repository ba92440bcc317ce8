// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/router.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace squall::web {

struct Router::Data {
  std::vector<Route> routes;
  std::string name;
  std::size_t max_body_size = 0;
  std::vector<Middleware> middleware;
};

}  // namespace squall::web
