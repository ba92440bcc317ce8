// SPDX-License-Identifier: Apache-2.0
#include "net/cpu_quota.hpp"

#include <squall/net/cpu_count.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sched.h>
#include <string>
#include <unistd.h>

namespace squall::net {
namespace {

/// A made-up /proc/self/cgroup and /sys/fs/cgroup.
class CpuQuota : public ::testing::Test {
 protected:
  CpuQuota() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    root = std::filesystem::temp_directory_path() /
           ("squall-cgroup-" + std::to_string(::getpid()) + "-" + test->name());
    std::filesystem::create_directories(root);
  }
  ~CpuQuota() override { std::filesystem::remove_all(root); }

  void file(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
  unsigned quota() { return cpu_quota(root / "self", root / "mount"); }

  std::filesystem::path root;
};

TEST_F(CpuQuota, OfVersion2IsRoundedUp) {
  file("self", "0::/system.slice/chat.service\n");
  file("mount/system.slice/chat.service/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 2U);
}

TEST_F(CpuQuota, TheSmallestOfAllGroupsAboveCounts) {
  file("self", "0::/a/b\n");
  file("mount/a/b/cpu.max", "800000 100000\n");
  file("mount/a/cpu.max", "300000 100000\n");
  file("mount/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), 3U);
}

TEST_F(CpuQuota, OfAContainerIsThatOfTheMountedRoot) {
  file("self", "0::/docker/0123\n");
  file("mount/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota(), 1U);
}

TEST_F(CpuQuota, OfVersion1IsFoundUnderItsController) {
  file("self", "5:memory:/x\n4:cpu,cpuacct:/x\n");
  file("mount/cpu/x/cpu.cfs_quota_us", "400000\n");
  file("mount/cpu/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 4U);
}

TEST_F(CpuQuota, IsNoneWithoutALimit) {
  EXPECT_EQ(quota(), 0U);
  file("self", "0::/\n4:cpu:/x\nnonsense\n");
  file("mount/cpu.max", "max 100000\n");
  file("mount/cpu/x/cpu.cfs_quota_us", "-1\n");
  file("mount/cpu/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 0U);
}

TEST(CpuCount, FollowsTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(cpu_count(), 1U);
  EXPECT_LE(cpu_count(), static_cast<unsigned>(CPU_COUNT(&before)));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before)) {
      CPU_SET(cpu, &one);
      break;
    }
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(cpu_count(), 1U);
  ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

}  // namespace
}  // namespace squall::net
