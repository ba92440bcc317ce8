// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/exchange.hpp"

#include <cstdint>

namespace squall::web {

/// Answers every request with its own address under https. Has no state, so that all workers may
/// share it.
class RedirectToHTTPS final : public server::ServerDelegate {
 public:
  explicit RedirectToHTTPS(std::uint16_t port) noexcept : port_(port) {}

 private:
  class Answer;

  server::MessageDelegate& start_request(server::ResponseWriter& writer) override;

  std::uint16_t port_;
};

}  // namespace squall::web
