// SPDX-License-Identifier: Apache-2.0
#include "realtime/broker_contract_testing.hpp"

#include <squall/realtime/nats_broker.hpp>

namespace squall::realtime {
namespace {

struct NatsMaker {
  static constexpr bool knows_positions = false;
  static constexpr bool is_shared = true;
  static constexpr bool has_one_order = false;
  static bool is_available() { return NatsServer::is_installed(); }
  [[nodiscard]] BrokerPtr make() const {
    const std::string url = server.url();
    return nats_broker({.url = url});
  }
  NatsServer server;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Nats, BrokerContract, NatsMaker, ContractName);

}  // namespace
}  // namespace squall::realtime
