// SPDX-License-Identifier: Apache-2.0
#include "web/file_load.hpp"

#include "web/file_testing.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace squall::web {
namespace {

class LoadFileTest : public ::testing::Test {
 protected:
  LoadFileTest() {
    directory.put("site/small.txt", "small");
    directory.put("site/empty", "");
    directory.put("site/large.bin", std::string(small_file_bytes + 1, 'x'));
    directory.put("site/sub/deep.txt", "deep");
    directory.put("secret.txt", "secret");
    directory.link("../secret.txt", "site/out");
    directory.link(directory.of("site/small.txt"), "site/absolute");
    directory.link("small.txt", "site/in");
    directory.link("sub", "site/in_directory");
    directory.link("loop", "site/loop");
    root.reset(::open(directory.of("site").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  LoadedFile load(const std::string& path, LoadOptions options = {false, true}) {
    return load_file(root.get(), path, options, nullptr);
  }

  TemporaryDirectory directory;
  UniqueFd root;
};

TEST_F(LoadFileTest, ASmallFileIsItsBytes) {
  for (const bool may_wait : {true, false}) {
    const LoadedFile file = load("small.txt", {false, may_wait});
    ASSERT_EQ(file.status, LoadStatus::ok) << may_wait;
    EXPECT_TRUE(file.is_small);
    EXPECT_EQ(file.bytes, "small");
    EXPECT_FALSE(file.file);
    EXPECT_EQ(file.stamp.size, 5U);
  }
  EXPECT_TRUE(load("empty").is_small);
  EXPECT_EQ(load("sub/deep.txt").bytes, "deep");
}

TEST_F(LoadFileTest, ALargeFileIsADescriptor) {
  const LoadedFile file = load("large.bin");
  ASSERT_EQ(file.status, LoadStatus::ok);
  EXPECT_FALSE(file.is_small);
  EXPECT_TRUE(file.file);
  EXPECT_EQ(file.bytes, "");
}

TEST_F(LoadFileTest, NothingOutsideOfTheRootIsFound) {
  for (const char* path :
       {"out", "../secret.txt", "sub/../../secret.txt", "absolute", "/etc/passwd", "nothing",
        "small.txt/", "small.txt/x", "loop", "sub/nothing"}) {
    EXPECT_EQ(load(path).status, LoadStatus::missing) << path;
    const LoadStatus quick = load(path, {false, false}).status;
    EXPECT_TRUE(quick == LoadStatus::missing || quick == LoadStatus::would_wait) << path;
  }
  EXPECT_EQ(load(std::string(5000, 'a')).status, LoadStatus::missing);
  EXPECT_EQ(load("in").bytes, "small") << "links within are fine";
  EXPECT_EQ(load("in_directory/deep.txt").bytes, "deep");
  EXPECT_EQ(load("sub").status, LoadStatus::directory);
}

TEST_F(LoadFileTest, LinksLeadAnywhereWhereThatIsWished) {
  EXPECT_EQ(load("out", {true, true}).bytes, "secret");
  EXPECT_EQ(load("absolute", {true, true}).bytes, "small");
  EXPECT_EQ(load("loop", {true, true}).status, LoadStatus::missing);
}

TEST_F(LoadFileTest, WhatIsNoFileIsNotOpened) {
  const std::string fifo = directory.of("site/fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(load("fifo").status, LoadStatus::missing);
  // Who writes to a FIFO that nobody has opened for reading is told so.
  EXPECT_EQ(::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC), -1);
  EXPECT_EQ(errno, ENXIO);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  directory.of("site/socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(load("socket").status, LoadStatus::missing);
  directory.link("/dev/null", "site/device");
  EXPECT_EQ(load("device", {true, true}).status, LoadStatus::missing);
}

TEST_F(LoadFileTest, WhatIsKnownIsNotLoadedAgain) {
  const LoadedFile first = load("small.txt");
  EXPECT_EQ(load_file(root.get(), "small.txt", {false, true}, &first.stamp).status,
            LoadStatus::unchanged);
  directory.put("site/small.txt", "other");
  directory.set_modified("site/small.txt", 1000);
  const LoadedFile second = load_file(root.get(), "small.txt", {false, true}, &first.stamp);
  ASSERT_EQ(second.status, LoadStatus::ok);
  EXPECT_EQ(second.bytes, "other");
}

TEST_F(LoadFileTest, AnUnreadableFileIsDenied) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  ::chmod(directory.of("site/small.txt").c_str(), 0);
  EXPECT_EQ(load("small.txt").status, LoadStatus::denied);
}

TEST_F(LoadFileTest, WhatOnlyTheDiskKnowsIsNotWaitedFor) {
  const UniqueFd file(::open(directory.of("site/small.txt").c_str(), O_RDONLY | O_CLOEXEC));
  ::fsync(file.get());
  ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  const LoadedFile quick = load("small.txt", {false, false});
  if (quick.status == LoadStatus::ok) GTEST_SKIP() << "this file system is memory";
  EXPECT_EQ(quick.status, LoadStatus::would_wait);
  EXPECT_EQ(load("small.txt").bytes, "small");
}

TEST_F(LoadFileTest, AHashIsOfTheVersionThatIsMeant) {
  const LoadedFile large = load("large.bin");
  UniqueFd file(::open(directory.of("site/large.bin").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(hash_file(std::move(file), large.stamp).size(), 32U);
  directory.put("site/large.bin", std::string(small_file_bytes + 2, 'y'));
  file.reset(::open(directory.of("site/large.bin").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(hash_file(std::move(file), large.stamp), "");
}

}  // namespace
}  // namespace squall::web
