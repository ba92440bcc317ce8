// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>

namespace squall::websocket {

/// Bytes that grow in memory the C library may move by page tables (mremap) instead of copying.
class GrowingBuffer {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), size_}; }

  /// Appends `piece`. `ceiling` is the most that size() can become by the end.
  void append(std::span<const char> piece, std::size_t ceiling) {
    if (piece.empty()) return;
    if (piece.size() > capacity_ - size_) grow(size_ + piece.size(), ceiling);
    std::memcpy(data_.get() + size_, piece.data(), piece.size());
    size_ += piece.size();
  }

  /// Room behind what is there, at least `least` bytes of it; commit() makes part of it count.
  std::span<char> prepare(std::size_t least, std::size_t ceiling) {
    if (capacity_ - size_ < least) grow(size_ + least, ceiling);
    return {data_.get() + size_, capacity_ - size_};
  }
  void commit(std::size_t size) noexcept { size_ += size; }
  void clear() noexcept { size_ = 0; }
  /// Forgets what is there; little memory is kept for what comes next.
  void rest() noexcept {
    size_ = 0;
    if (capacity_ <= kept_bytes) return;
    data_.reset();
    capacity_ = 0;
  }

 private:
  struct Free {
    void operator()(char* data) const noexcept { std::free(data); }
  };
  static constexpr std::size_t least_bytes = 1024;
  static constexpr std::size_t kept_bytes = 4096;

  // Twice what has arrived, and never what was only announced: a peer that promises a large
  // message and sends little of it costs little.
  void grow(std::size_t needed, std::size_t ceiling) {
    const std::size_t twice = needed > ceiling / 2 ? ceiling : needed * 2;
    const std::size_t capacity = std::min(std::max(twice, least_bytes), ceiling);
    char* const old = data_.release();  // realloc takes it, if it does not fail
    char* const data = static_cast<char*>(std::realloc(old, capacity));
    data_.reset(data != nullptr ? data : old);
    if (data == nullptr) throw std::bad_alloc();
    capacity_ = capacity;
  }

  std::unique_ptr<char, Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace squall::websocket
