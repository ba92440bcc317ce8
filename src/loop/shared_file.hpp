// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/pool.hpp>
#include <squall/loop/unique_fd.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace squall::loop {

/// A file that streams of one loop send from; many may at a time, each from its own offset. Counted
/// without atomics: it never leaves its thread.
class SharedFile {
 public:
  SharedFile() noexcept = default;
  SharedFile(UniqueFd file)  // NOLINT: implicit by design
      : body_(::new (detail::pool_allocate(sizeof(Body))) Body(std::move(file))) {}
  SharedFile(const SharedFile& other) noexcept : body_(other.body_) {
    if (body_ != nullptr) ++body_->references;
  }
  SharedFile(SharedFile&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  SharedFile& operator=(SharedFile other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~SharedFile() {
    if (body_ == nullptr || --body_->references != 0) return;
    body_->~Body();
    detail::pool_deallocate(body_, sizeof(Body));
  }

  explicit operator bool() const noexcept { return body_ != nullptr; }
  [[nodiscard]] int get() const noexcept { return body_ != nullptr ? body_->fd.get() : -1; }

  /// Until when the first so many bytes are taken to be in memory, because they were a moment ago.
  [[nodiscard]] std::size_t known_resident(std::uint64_t now_ms) const noexcept {
    return now_ms < body_->resident_until_ms ? body_->resident_bytes : 0;
  }
  void note_resident(std::size_t bytes, std::uint64_t until_ms) const noexcept {
    body_->resident_bytes = bytes;
    body_->resident_until_ms = until_ms;
  }

 private:
  struct Body {
    explicit Body(UniqueFd file) noexcept : fd(std::move(file)) {}
    UniqueFd fd;
    std::size_t references = 1;
    std::size_t resident_bytes = 0;
    std::uint64_t resident_until_ms = 0;
  };
  Body* body_ = nullptr;
};

}  // namespace squall::loop
