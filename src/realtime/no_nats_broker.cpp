// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/realtime/nats_broker.hpp>

namespace squall::realtime {

BrokerPtr nats_broker(const NatsBrokerOptions& /*options*/) {
  throw UsageError("this build of Squall has no libnats: configure it with SQUALL_NATS=ON");
}

}  // namespace squall::realtime
