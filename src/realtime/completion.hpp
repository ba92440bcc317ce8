// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/logging.hpp"
#include "realtime/hub_core.hpp"

#include <squall/realtime/error.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace squall::realtime::detail {

/// The hub's end of a call to the broker: `then` is called once, also when the broker throws the
/// completion away.
template <class T, class Then>
class Answer {
 public:
  Answer(std::shared_ptr<HubCore> core, Then then) noexcept
      : core_(std::move(core)), then_(std::move(then)) {}
  Answer(Answer&& other) noexcept : core_(std::move(other.core_)), then_(std::move(other.then_)) {}
  Answer& operator=(Answer&&) = delete;
  ~Answer() {
    if (core_ != nullptr) (*this)(Result<T>(make_error_code(RealtimeError::broker_unavailable)));
  }

  void operator()(Result<T> result) {
    const std::shared_ptr<HubCore> core = std::move(core_);
    core->end_call();
    // What a broker cannot do is no failure of it.
    if (!result && result.error() != RealtimeError::not_supported) core->count_failure();
    try {
      then_(std::move(result));
    } catch (const std::exception& error) {
      log::format(log::Level::error, "realtime", "an answer could not be used: {}", error.what());
    }
  }

 private:
  std::shared_ptr<HubCore> core_;
  Then then_;
};

/// Calls `call(completion)`, whose completion ends in `then`; an exception is a failure.
template <class T, class Call, class Then>
void ask(std::shared_ptr<HubCore> core, const Call& call, Then then) noexcept {
  try {
    call(Completion<T>(Answer<T, Then>(std::move(core), std::move(then))));
  } catch (const std::exception& error) {
    log::format(log::Level::error, "realtime", "the broker threw: {}", error.what());
  }
}

}  // namespace squall::realtime::detail
