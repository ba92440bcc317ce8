// SPDX-License-Identifier: Apache-2.0
#include <squall/net/bind.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace squall::net {
namespace {

TEST(BindSockets, PortZeroGivesAllFamiliesTheSamePort) {
  const auto sockets = bind_sockets(0, "");
  ASSERT_FALSE(sockets.empty());
  const std::uint16_t port = local_port(sockets.front().get());
  EXPECT_NE(port, 0);
  for (const UniqueFd& fd : sockets) EXPECT_EQ(local_port(fd.get()), port);
}

TEST(BindSockets, ATakenPortIsAnErrorThatNamesTheAddress) {
  const auto first = bind_sockets(0, "127.0.0.1");
  const std::uint16_t port = local_port(first.front().get());
  try {
    const auto second = bind_sockets(port, "127.0.0.1");
    FAIL() << "bound twice";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:" + std::to_string(port)),
              std::string::npos)
        << error.what();
  }
}

TEST(BindSockets, ReusePortLetsSeveralShareIt) {
  const auto first = bind_sockets(0, "127.0.0.1", {.reuse_port = true});
  const std::uint16_t port = local_port(first.front().get());
  const auto second = bind_sockets(port, "127.0.0.1", {.reuse_port = true});
  EXPECT_EQ(local_port(second.front().get()), port);
}

TEST(BindSockets, ANameThatDoesNotExistIsAnError) {
  EXPECT_THROW(static_cast<void>(bind_sockets(0, "no-such-host.invalid")), std::system_error);
}

class BindUnixSocket : public ::testing::Test {
 protected:
  BindUnixSocket() {
    char name[] = "/tmp/squall_bindXXXXXX";
    directory = ::mkdtemp(name);
    path = directory + "/socket";
  }
  ~BindUnixSocket() override {
    ::unlink(path.c_str());
    ::rmdir(directory.c_str());
  }
  std::string directory;
  std::string path;
};

TEST_F(BindUnixSocket, HasThePermissionsAskedFor) {
  const UniqueFd fd = bind_unix_socket(path, 0640);
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0640U);
}

TEST_F(BindUnixSocket, ReplacesASocketThatIsLeftOver) {
  { const UniqueFd left_over = bind_unix_socket(path); }
  const UniqueFd fd = bind_unix_socket(path);
  EXPECT_TRUE(fd);
}

TEST_F(BindUnixSocket, RefusesToReplaceAnotherFile) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fclose(file);
  EXPECT_THROW(static_cast<void>(bind_unix_socket(path)), std::system_error);
}

TEST_F(BindUnixSocket, AnAbstractNameLeavesNoFile) {
  const UniqueFd fd = bind_unix_socket("@squall-test-" + std::to_string(::getpid()));
  EXPECT_TRUE(fd);
}

}  // namespace
}  // namespace squall::net
