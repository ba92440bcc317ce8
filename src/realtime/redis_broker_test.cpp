// SPDX-License-Identifier: Apache-2.0
#include "realtime/broker_contract_testing.hpp"

#include <squall/realtime/redis_broker.hpp>

namespace squall::realtime {
namespace {

struct RedisMaker {
  static constexpr bool knows_positions = true;
  static constexpr bool is_shared = true;
  static constexpr bool has_one_order = true;
  static bool is_available() { return RedisServer::is_installed(); }
  [[nodiscard]] BrokerPtr make() const {
    const std::string url = server.url();
    return redis_broker({.url = url});
  }
  RedisServer server;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Redis, BrokerContract, RedisMaker, ContractName);

}  // namespace
}  // namespace squall::realtime
