// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/detail/linked_node.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace squall {

namespace detail {

struct StopState;

/// A place in a StopState's list of those to tell.
struct StopNode : LinkedNode<StopNode> {
  using Run = void (*)(StopNode& node) noexcept;

  StopNode() noexcept = default;
  explicit StopNode(Run what) noexcept : run(what) {}

  Run run = nullptr;
};

/// What a source and its tokens share. Single-threaded: it belongs to one loop.
struct StopState {
  StopState() noexcept = default;
  StopState(const StopState&) = delete;
  StopState& operator=(const StopState&) = delete;

  /// Tells every listener, once; later calls do nothing.
  void request_stop() noexcept;
  /// Adds `node`, which must be unlinked before it or this is destroyed.
  void listen(StopNode& node) noexcept;

  static StopState* create();
  void retain() noexcept { ++references; }
  void release() noexcept;

  NodeRing<StopNode> listeners;
  std::uint32_t references = 1;
  bool requested = false;
};

}  // namespace detail

/// Tells whether someone has asked for a stop. A light, single-threaded cousin of std::stop_token
/// with its member names: it belongs to the loop on which it was made.
class StopToken {
 public:
  StopToken() noexcept = default;
  StopToken(const StopToken& other) noexcept : state_(other.state_) {
    if (state_ != nullptr) state_->retain();
  }
  StopToken(StopToken&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  StopToken& operator=(StopToken other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~StopToken() {
    if (state_ != nullptr) state_->release();
  }

  [[nodiscard]] bool stop_requested() const noexcept {
    return state_ != nullptr && state_->requested;
  }
  [[nodiscard]] bool stop_possible() const noexcept { return state_ != nullptr; }

 private:
  friend class StopSource;
  template <class F>
  friend class StopCallback;
  explicit StopToken(detail::StopState* state) noexcept : state_(state) { state_->retain(); }

  detail::StopState* state_ = nullptr;
};

/// Asks for a stop; awaits that carry its token end with CancelledError.
class StopSource {
 public:
  StopSource() : state_(detail::StopState::create()) {}
  StopSource(StopSource&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  StopSource& operator=(StopSource&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~StopSource() {
    if (state_ != nullptr) state_->release();
  }

  [[nodiscard]] StopToken get_token() const noexcept { return StopToken(state_); }
  [[nodiscard]] bool stop_requested() const noexcept { return state_->requested; }
  /// Tells all who listen, before it returns; those that wait resume in a later turn of the loop.
  void request_stop() noexcept { state_->request_stop(); }

  /// For the library: the shared state, valid as long as this or a token lives.
  [[nodiscard]] detail::StopState* state() const noexcept { return state_; }

 private:
  detail::StopState* state_;
};

/// Calls `F` when a stop is requested, at once if it was already; not after it is destroyed.
template <class F>
class StopCallback : private detail::StopNode {
 public:
  StopCallback(const StopToken& token, F callback)
      : StopNode([](StopNode& node) noexcept { static_cast<StopCallback&>(node).callback_(); }),
        callback_(std::move(callback)),
        token_(token) {
    if (token_.state_ != nullptr) token_.state_->listen(*this);
  }

 private:
  F callback_;
  StopToken token_;
};
template <class F>
StopCallback(const StopToken&, F) -> StopCallback<F>;

}  // namespace squall
