// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/web/router.hpp>

#include <string>
#include <vector>

namespace squall::web {

struct Router::Data {
  std::vector<Route> routes;
  std::string name;
  detail::RouteRules rules;
  HandlerSpec default_handler;
};

}  // namespace squall::web
