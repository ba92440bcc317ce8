// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace squall::detail {

/// Takes `size` bytes from the calling thread's free lists, or from the heap when they are empty.
/// Coroutine frames, request handlers and connections live here, so that the steady state
/// allocates nothing. Sizes above 4 KiB go straight to the heap.
[[nodiscard]] void* pool_allocate(std::size_t size);

/// Gives back what pool_allocate(size) returned, on any thread.
void pool_deallocate(void* memory, std::size_t size) noexcept;

/// Base of classes whose objects come from the pool; derived classes need a virtual destructor to
/// be deleted through a base.
struct Pooled {
  static void* operator new(std::size_t size) { return pool_allocate(size); }
  static void operator delete(void* memory, std::size_t size) noexcept {
    pool_deallocate(memory, size);
  }
};

}  // namespace squall::detail
