// SPDX-License-Identifier: Apache-2.0
#include "loop/output_queue.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::loop {
namespace {

class OutputQueueTest : public ::testing::Test {
 protected:
  ~OutputQueueTest() override { queue.clear(pool); }

  std::string contents() const {
    iovec parts[64];
    const std::size_t count = queue.gather(parts, 64);
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
      text.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    }
    return text;
  }

  BlockPool pool;
  OutputQueue queue;
};

TEST_F(OutputQueueTest, KeepsTheOrderOfAllKindsOfOutput) {
  queue.write(pool, "head ");
  queue.write_owned(std::string(5000, 'o'));
  queue.write(pool, " tail");
  char* space = queue.prepare(pool, 3);
  std::memcpy(space, "end", 3);
  queue.commit(3);
  EXPECT_EQ(contents(), "head " + std::string(5000, 'o') + " tailend");
  EXPECT_EQ(queue.size(), contents().size());
}

TEST_F(OutputQueueTest, SmallWritesShareABlock) {
  for (int i = 0; i < 16; ++i) queue.write(pool, "0123456789");
  iovec parts[64];
  EXPECT_EQ(queue.gather(parts, 64), 1U);
}

TEST_F(OutputQueueTest, ConsumesAcrossSegmentsAtAnyByte) {
  const std::string all = std::string(3000, 'a') + std::string(30'000, 'b') + "c";
  for (std::size_t step : {1UL, 7UL, 2000UL, 2009UL, 33'000UL}) {
    queue.write(pool, std::string(3000, 'a'));
    queue.write_owned(std::string(30'000, 'b'));
    queue.write(pool, "c");
    std::string seen;
    while (!queue.is_empty()) {
      const std::string now = contents();
      const std::size_t part = std::min(step, queue.size());
      seen += now.substr(0, part);
      queue.consume(pool, part);
    }
    EXPECT_EQ(seen, all) << step;
    EXPECT_EQ(queue.front(), nullptr);
  }
}

TEST_F(OutputQueueTest, AFileEndsTheGathering) {
  queue.write(pool, "head");
  queue.write_file(UniqueFd(), 10, 100);
  queue.write(pool, "tail");
  EXPECT_EQ(contents(), "head");
  EXPECT_EQ(queue.size(), 108U);
  queue.consume(pool, 4 + 60);
  ASSERT_EQ(queue.front()->kind, Segment::Kind::file);
  EXPECT_EQ(static_cast<FileSegment*>(queue.front())->offset, 70);
  queue.consume(pool, 40);
  EXPECT_EQ(contents(), "tail");
}

}  // namespace
}  // namespace squall::loop
