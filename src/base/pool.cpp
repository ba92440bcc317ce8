// SPDX-License-Identifier: Apache-2.0
#include <squall/base/pool.hpp>

#include <cstdint>
#include <new>
#include <utility>

namespace squall::detail {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SQUALL_POOL_OFF 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SQUALL_POOL_OFF 1
#endif
#endif

#ifdef SQUALL_POOL_OFF
// Recycled memory would hide uses after free from the sanitizers.
constexpr bool pool_is_on = false;
#else
constexpr bool pool_is_on = true;
#endif

constexpr std::size_t granule_bytes = 16;
constexpr std::size_t largest_bytes = 4096;
constexpr std::size_t class_count = largest_bytes / granule_bytes;
constexpr std::size_t cached_bytes_per_class = 128 * 1024;

struct FreeBlock {
  FreeBlock* next;
};

struct FreeLists {
  FreeBlock* head[class_count];
  std::uint32_t count[class_count];
  bool closed;
};

constinit thread_local FreeLists lists{};

// Gives the thread's cached blocks back when it ends. The lists themselves have no destructor, so
// blocks freed even later still find them, closed, and go to the heap.
struct Closer {
  ~Closer() {
    lists.closed = true;
    for (FreeBlock*& head : lists.head) {
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
    }
  }
};

constexpr std::size_t class_of(std::size_t size) noexcept { return (size - 1) / granule_bytes; }

}  // namespace

void* pool_allocate(std::size_t size) {
  if (!pool_is_on || size == 0 || size > largest_bytes) return ::operator new(size);
  const std::size_t index = class_of(size);
  if (FreeBlock* block = lists.head[index]; block != nullptr) {
    lists.head[index] = block->next;
    --lists.count[index];
    return block;
  }
  return ::operator new((index + 1) * granule_bytes);
}

void pool_deallocate(void* memory, std::size_t size) noexcept {
  if (!pool_is_on || size == 0 || size > largest_bytes) {
    ::operator delete(memory);
    return;
  }
  static thread_local Closer closer;
  static_cast<void>(closer);
  const std::size_t index = class_of(size);
  if (lists.closed ||
      (lists.count[index] + 1) * (index + 1) * granule_bytes > cached_bytes_per_class) {
    ::operator delete(memory);
    return;
  }
  auto* block = static_cast<FreeBlock*>(memory);
  block->next = lists.head[index];
  lists.head[index] = block;
  ++lists.count[index];
}

}  // namespace squall::detail
