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
// The C library's blocks have eight bytes before them, so that sizes of 8, 24, 40, ... fit without
// a gap; an idle connection is a few such blocks.
constexpr std::size_t first_class_bytes = 8;
constexpr std::size_t class_of(std::size_t size) noexcept {
  return (size - first_class_bytes + granule_bytes - 1) / granule_bytes;
}
constexpr std::size_t bytes_of(std::size_t index) noexcept {
  return first_class_bytes + index * granule_bytes;
}
constexpr std::size_t class_count = class_of(largest_bytes) + 1;
static_assert(class_of(8) == 0 && class_of(9) == 1 && class_of(24) == 1 && class_of(25) == 2);
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

}  // namespace

void* pool_allocate(std::size_t size) {
  if (!pool_is_on || size < first_class_bytes || size > largest_bytes) return ::operator new(size);
  const std::size_t index = class_of(size);
  if (FreeBlock* block = lists.head[index]; block != nullptr) {
    lists.head[index] = block->next;
    --lists.count[index];
    return block;
  }
  return ::operator new(bytes_of(index));
}

void pool_deallocate(void* memory, std::size_t size) noexcept {
  if (!pool_is_on || size < first_class_bytes || size > largest_bytes) {
    ::operator delete(memory);
    return;
  }
  static thread_local Closer closer;
  static_cast<void>(closer);
  const std::size_t index = class_of(size);
  if (lists.closed || (lists.count[index] + 1) * bytes_of(index) > cached_bytes_per_class) {
    ::operator delete(memory);
    return;
  }
  auto* block = static_cast<FreeBlock*>(memory);
  block->next = lists.head[index];
  lists.head[index] = block;
  ++lists.count[index];
}

}  // namespace squall::detail
