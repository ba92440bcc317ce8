// SPDX-License-Identifier: Apache-2.0
#include "net/stream_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/net/udp_socket.hpp>

#include <chrono>
#include <netinet/in.h>
#include <string>

namespace squall::net {
namespace {

using namespace std::chrono_literals;

const SocketAddress loopback = SocketAddress::parse("127.0.0.1", 0);

std::string run(Task<std::string> task) {
  BackgroundTask one;
  one.start(std::move(task));
  return one.finish();
}

Task<std::string> receive(UDPSocket& socket, std::size_t room = 1000) {
  std::string target(room, '-');
  const auto got = co_await socket.receive_from(target);
  if (!got) co_return got.error().message();
  target.resize(got->bytes);
  co_return target + (got->truncated ? "|truncated" : "");
}

Task<std::string> send(UDPSocket& from, std::string text, SocketAddress to) {
  const auto sent = co_await from.send_to(text, to);
  co_return sent ? "sent" : sent.error().message();
}

TEST(UDPSocket, SendsAndReceivesWithAddresses) {
  for (const char* const ip : {"127.0.0.1", "::1"}) {
    SCOPED_TRACE(ip);
    UDPSocket first;
    try {
      first = UDPSocket::bind(SocketAddress::parse(ip, 0));
    } catch (const std::system_error&) {
      continue;  // no IPv6 here
    }
    UDPSocket second = UDPSocket::bind(SocketAddress::parse(ip, 0));
    const auto talk = [](UDPSocket& a, UDPSocket& b) -> Task<std::string> {
      const auto sent = co_await a.send_to("hello", b.local_address());
      EXPECT_TRUE(sent);
      char target[64];
      const auto got = co_await b.receive_from(target);
      EXPECT_EQ(got->peer, a.local_address());
      co_return std::string(target, got->bytes);
    };
    EXPECT_EQ(run(talk(first, second)), "hello");
  }
}

TEST(UDPSocket, WaitsForADatagram) {
  UDPSocket first = UDPSocket::bind(loopback);
  UDPSocket second = UDPSocket::bind(loopback);
  BackgroundTask waiting;
  waiting.start(receive(second));
  loop::run_until([turns = 0]() mutable { return ++turns > 3; });
  EXPECT_FALSE(waiting.is_done());
  EXPECT_EQ(run(send(first, "late", second.local_address())), "sent");
  EXPECT_EQ(waiting.finish(), "late");
}

TEST(UDPSocket, KeepsDatagramsApartAlsoEmptyOnes) {
  UDPSocket socket = UDPSocket::bind(loopback);
  for (const char* const text : {"one", "", "three"}) {
    EXPECT_EQ(run(send(socket, text, socket.local_address())), "sent");
  }
  EXPECT_EQ(run(receive(socket)), "one");
  EXPECT_EQ(run(receive(socket)), "");
  EXPECT_EQ(run(receive(socket)), "three");
}

TEST(UDPSocket, TellsWhenADatagramDidNotFit) {
  UDPSocket socket = UDPSocket::bind(loopback);
  EXPECT_EQ(run(send(socket, "0123456789", socket.local_address())), "sent");
  EXPECT_EQ(run(receive(socket, 4)), "0123|truncated");
}

TEST(UDPSocket, AConnectedOneHearsItsPeerOnly) {
  UDPSocket server = UDPSocket::bind(loopback);
  UDPSocket stranger = UDPSocket::bind(loopback);
  UDPSocket client = UDPSocket::connect(server.local_address());
  EXPECT_EQ(client.peer_address(), server.local_address());
  EXPECT_EQ(run(send(stranger, "ignored", client.local_address())), "sent");
  const auto talk = [](UDPSocket& a, UDPSocket& b) -> Task<std::string> {
    const auto sent = co_await a.send("ping");
    EXPECT_TRUE(sent);
    char target[64];
    const auto got = co_await b.receive_from(target);
    const auto answered = co_await b.send_to("pong", got->peer);
    EXPECT_TRUE(answered);
    const auto answer = co_await a.receive(target);
    co_return std::string(target, answer->bytes);
  };
  EXPECT_EQ(run(talk(client, server)), "pong");
}

TEST(UDPSocket, NobodyThereIsAnErrorAndTheSocketStaysGood) {
  UDPSocket server = UDPSocket::bind(loopback);
  const SocketAddress address = server.local_address();
  UDPSocket client = UDPSocket::connect(address);
  server.close();
  const auto ask = [](UDPSocket& socket) -> Task<std::string> {
    const auto sent = co_await socket.send("anyone?");
    EXPECT_TRUE(sent);
    char target[8];
    const auto got = co_await socket.receive(target);
    co_return got.error().message();
  };
  EXPECT_EQ(run(ask(client)), std::make_error_code(std::errc::connection_refused).message());
  server = UDPSocket::bind(address);
  EXPECT_EQ(run(send(client, "there", {})), "sent");
  EXPECT_EQ(run(receive(server)), "there");
}

TEST(UDPSocket, ADatagramThatIsTooLongIsAnError) {
  UDPSocket socket = UDPSocket::bind(loopback);
  EXPECT_EQ(run(send(socket, std::string(70'000, 'x'), socket.local_address())),
            std::make_error_code(std::errc::message_size).message());
}

TEST(UDPSocket, AFloodWaitsForTheKernelAndLosesNothingOnTheWayThere) {
  UDPSocket sender = UDPSocket::bind(loopback);
  UDPSocket receiver = UDPSocket::bind(loopback);
  const auto flood = [](UDPSocket& from, SocketAddress to) -> Task<std::string> {
    const std::string text(8000, 'x');
    for (int i = 0; i < 2000; ++i) {
      const auto sent = co_await from.send_to(text, to);
      if (!sent) co_return sent.error().message();
    }
    co_return "sent";
  };
  EXPECT_EQ(run(flood(sender, receiver.local_address())), "sent");
  EXPECT_EQ(run(receive(receiver, 8000)).size(), 8000U) << "what does not fit is dropped, not all";
}

TEST(UDPSocket, ASecondReceiveAtATimeIsAUsageError) {
  UDPSocket socket = UDPSocket::bind(loopback);
  BackgroundTask first;
  first.start(receive(socket));
  EXPECT_THROW(run(receive(socket)), UsageError);
  EXPECT_EQ(run(send(socket, "for the first", socket.local_address())), "sent");
  EXPECT_EQ(first.finish(), "for the first");
}

TEST(UDPSocket, ClosingOrDestroyingItEndsTheWait) {
  const std::string closed = std::make_error_code(std::errc::bad_file_descriptor).message();
  UDPSocket socket = UDPSocket::bind(loopback);
  BackgroundTask first;
  first.start(receive(socket));
  socket.close();
  EXPECT_EQ(first.finish(), closed);
  EXPECT_EQ(run(receive(socket)), closed);
  {
    UDPSocket other = UDPSocket::bind(loopback);
    first.start(receive(other));
  }
  EXPECT_EQ(first.finish(), closed);
  UDPSocket none;
  EXPECT_EQ(run(receive(none)), closed);
  EXPECT_FALSE(none.is_open());
}

TEST(UDPSocket, MulticastReachesThoseWhoJoined) {
  const SocketAddress group = SocketAddress::parse("239.255.76.67", 0);
  UDPSocket member = UDPSocket::bind(SocketAddress::parse("0.0.0.0", 0), {.reuse_address = true});
  ASSERT_TRUE(member.join_multicast(group, loopback));
  UDPSocket sender = UDPSocket::bind(loopback);
  ASSERT_TRUE(sender.set_multicast_loopback(true));
  ASSERT_TRUE(sender.set_multicast_hops(0));
  in_addr interface {};
  interface.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::setsockopt(sender.native_handle(), IPPROTO_IP, IP_MULTICAST_IF, &interface,
                         sizeof interface),
            0);
  EXPECT_EQ(run(send(sender, "all", group.with_port(member.local_address().port()))), "sent");
  EXPECT_EQ(run(receive(member)), "all");
  EXPECT_TRUE(member.leave_multicast(group, loopback));
  EXPECT_FALSE(member.leave_multicast(group, loopback)) << "left twice";
}

TEST(UDPSocket, BroadcastMustBeAllowed) {
  UDPSocket socket = UDPSocket::bind(SocketAddress::parse("0.0.0.0", 0));
  const SocketAddress everyone = SocketAddress::parse("127.255.255.255", 9);
  EXPECT_EQ(run(send(socket, "x", everyone)),
            std::make_error_code(std::errc::permission_denied).message());
  ASSERT_TRUE(socket.set_broadcast(true));
  EXPECT_EQ(run(send(socket, "x", everyone)), "sent");
}

TEST(UDPSocket, ATakenPortIsAnErrorThatNamesTheAddress) {
  const UDPSocket first = UDPSocket::bind(loopback);
  try {
    const UDPSocket second = UDPSocket::bind(first.local_address());
    FAIL() << "bound twice";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find(first.local_address().to_string()), std::string::npos);
  }
  EXPECT_THROW(static_cast<void>(UDPSocket::bind(SocketAddress())), UsageError);
}

}  // namespace
}  // namespace squall::net
