// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/realtime/redis_broker.hpp>

namespace squall::realtime {

BrokerPtr redis_broker(const RedisBrokerOptions& /*options*/) {
  throw UsageError("this build of Squall has no hiredis: configure it with SQUALL_REDIS=ON");
}

}  // namespace squall::realtime
