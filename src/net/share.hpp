// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/net/detail/share.hpp>

namespace squall::net::detail {

/// What a Share counts; the last one destroys it. `Self` derives from it.
template <class Self>
class Counted {
 public:
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) delete static_cast<Self*>(this);
  }

 protected:
  Counted() noexcept = default;
  ~Counted() = default;

 private:
  unsigned references_ = 1;  // the owner's
};

template <class State>
Share<State>::Share(State* state) noexcept : state_(state) {
  if (state_ != nullptr) state_->retain();
}

template <class State>
Share<State>::~Share() {
  if (state_ != nullptr) state_->release();
}

}  // namespace squall::net::detail
