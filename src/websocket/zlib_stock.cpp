// SPDX-License-Identifier: Apache-2.0
#include "websocket/zlib_stock.hpp"

#include <squall/base/limits.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace squall::websocket {
namespace {

template <class State>
class Stock {
 public:
  Stock() noexcept = default;
  Stock(const Stock&) = delete;
  Stock& operator=(const Stock&) = delete;
  ~Stock() { *is_gone() = true; }

  template <class Fits>
  std::unique_ptr<State> take(Fits fits) noexcept {
    for (std::unique_ptr<State>& place : places_) {
      if (place && fits(*place)) return std::move(place);
    }
    return nullptr;
  }

  void keep(std::unique_ptr<State> state) noexcept {
    for (std::unique_ptr<State>& place : places_) {
      if (!place) {
        place = std::move(state);
        return;
      }
    }
    // All are others than what is used now, or as many as ever wait.
    places_[next_] = std::move(state);
    next_ = (next_ + 1) % places_.size();
  }

  [[nodiscard]] std::size_t count() const noexcept {
    return static_cast<std::size_t>(std::count_if(
        places_.begin(), places_.end(), [](const auto& place) { return place != nullptr; }));
  }

  /// A connection may end after the thread's own objects have: it frees its state then.
  static bool* is_gone() noexcept {
    thread_local bool gone = false;
    return &gone;
  }

 private:
  std::array<std::unique_ptr<State>, limits::idle_websocket_codecs> places_;
  std::size_t next_ = 0;
};

thread_local Stock<DeflateState> deflate_stock;
thread_local Stock<InflateState> inflate_stock;

}  // namespace

DeflateState::~DeflateState() {
  if (window_bits != 0) ::deflateEnd(&stream);
}

InflateState::~InflateState() {
  if (window_bits != 0) ::inflateEnd(&stream);
}

std::unique_ptr<DeflateState> take_deflate(unsigned window_bits, int memory_level, int level) {
  if (!*Stock<DeflateState>::is_gone()) {
    auto state = deflate_stock.take([=](const DeflateState& kept) {
      return kept.window_bits == window_bits && kept.memory_level == memory_level &&
             kept.level == level;
    });
    if (state) {
      ::deflateReset(&state->stream);
      return state;
    }
  }
  auto state = std::make_unique<DeflateState>();
  // Negative: raw DEFLATE.
  if (::deflateInit2(&state->stream, level, Z_DEFLATED, -static_cast<int>(window_bits),
                     memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  state->window_bits = window_bits;
  state->memory_level = memory_level;
  state->level = level;
  return state;
}

std::unique_ptr<InflateState> take_inflate(unsigned window_bits) {
  if (!*Stock<InflateState>::is_gone()) {
    auto state = inflate_stock.take(
        [=](const InflateState& kept) { return kept.window_bits == window_bits; });
    if (state) {
      ::inflateReset(&state->stream);
      return state;
    }
  }
  auto state = std::make_unique<InflateState>();
  if (::inflateInit2(&state->stream, -static_cast<int>(window_bits)) != Z_OK) {
    throw std::bad_alloc();
  }
  state->window_bits = window_bits;
  return state;
}

void give_back(std::unique_ptr<DeflateState> state) noexcept {
  if (state && !*Stock<DeflateState>::is_gone()) deflate_stock.keep(std::move(state));
}

void give_back(std::unique_ptr<InflateState> state) noexcept {
  if (state && !*Stock<InflateState>::is_gone()) inflate_stock.keep(std::move(state));
}

std::size_t idle_deflate_states() noexcept { return deflate_stock.count(); }
std::size_t idle_inflate_states() noexcept { return inflate_stock.count(); }

}  // namespace squall::websocket
