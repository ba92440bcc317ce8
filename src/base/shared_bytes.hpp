// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/pool.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace squall {

/// Bytes that never change, shared by reference, also between threads. One allocation, with the
/// count.
class SharedBytes {
 public:
  SharedBytes() noexcept = default;
  /// A copy of both, one after the other.
  explicit SharedBytes(std::string_view first, std::string_view second = {})
      : block_(make(first.size() + second.size())) {
    if (!first.empty()) std::memcpy(data(), first.data(), first.size());
    if (!second.empty()) std::memcpy(data() + first.size(), second.data(), second.size());
  }
  SharedBytes(const SharedBytes& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  SharedBytes(SharedBytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedBytes() {
    if (block_ == nullptr) return;
    if (block_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::size_t size = sizeof(Block) + block_->size;
    block_->~Block();
    detail::pool_deallocate(block_, size);
  }

  [[nodiscard]] explicit operator bool() const noexcept { return block_ != nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return block_ != nullptr ? block_->size : 0; }
  [[nodiscard]] std::string_view view() const noexcept {
    return block_ != nullptr ? std::string_view(data(), block_->size) : std::string_view();
  }

 private:
  struct Block {
    explicit Block(std::size_t bytes) noexcept : size(bytes) {}
    std::atomic<std::uint32_t> references{1};
    std::size_t size;
  };
  static Block* make(std::size_t size) {
    return ::new (detail::pool_allocate(sizeof(Block) + size)) Block(size);
  }
  [[nodiscard]] char* data() const noexcept { return reinterpret_cast<char*>(block_ + 1); }

  Block* block_ = nullptr;
};

}  // namespace squall
