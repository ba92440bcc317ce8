// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/hub_core.hpp"
#include "realtime/operation.hpp"

#include <squall/realtime/hub.hpp>

#include <memory>
#include <string>

namespace squall::realtime::detail {

struct HubHandle {
  std::shared_ptr<HubCore> core;
};

/// The operation carries one share for who awaits it.
[[nodiscard]] OperationBase& subscribe(const std::shared_ptr<HubCore>& core, Subscriber& subscriber,
                                       std::string_view channel, const SubscribeOptions& options);
[[nodiscard]] Task<Position> position(std::shared_ptr<HubCore> core, std::string channel);

}  // namespace squall::realtime::detail
