// SPDX-License-Identifier: Apache-2.0
#include "realtime/broker_contract_testing.hpp"

namespace squall::realtime {
namespace {

struct MemoryMaker {
  static constexpr bool knows_positions = true;
  static constexpr bool is_shared = false;
  static constexpr bool has_one_order = true;
  static bool is_available() { return true; }
  [[nodiscard]] BrokerPtr make() const { return memory_broker(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, BrokerContract, MemoryMaker, ContractName);

}  // namespace
}  // namespace squall::realtime
