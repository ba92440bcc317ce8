// SPDX-License-Identifier: Apache-2.0
#include <squall/base/pool.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace squall::detail {
namespace {

TEST(Pool, BlocksAreAlignedAndDoNotOverlap) {
  std::vector<std::pair<char*, std::size_t>> blocks;
  for (std::size_t size = 1; size <= 5000; size += 37) {
    auto* const block = static_cast<char*>(pool_allocate(size));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0U);
    std::memset(block, static_cast<int>(size & 0x7f), size);
    blocks.emplace_back(block, size);
  }
  for (const auto& [block, size] : blocks) {
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(block[i], static_cast<char>(size & 0x7f));
    pool_deallocate(block, size);
  }
}

TEST(Pool, ABlockMayBeGivenBackOnAnotherThread) {
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(pool_allocate(100));
  std::thread other([&blocks] {
    for (void* block : blocks) pool_deallocate(block, 100);
    for (void*& block : blocks) block = pool_allocate(100);
  });
  other.join();
  for (void* block : blocks) pool_deallocate(block, 100);
}

TEST(Pool, DerivedObjectsAreFreedByTheirOwnSize) {
  struct Base : Pooled {
    virtual ~Base() = default;
  };
  struct Derived : Base {
    char more[500] = {};
  };
  for (int i = 0; i < 100; ++i) {
    Base* const object = new Derived();
    delete object;
  }
}

}  // namespace
}  // namespace squall::detail
