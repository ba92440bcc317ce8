// SPDX-License-Identifier: Apache-2.0
#include "load/frame_answers.hpp"
#include "load/requests.hpp"
#include "load/sockets.hpp"
#include "load/workloads.hpp"

#include <ctime>
#include <vector>

namespace wire_load {
namespace {

constexpr std::size_t message_bytes = 64;
constexpr std::uint32_t mask = 0x5b20c91d;

struct Member {
  Connection connection;
  FrameAnswers answers;
  std::size_t outstanding = 0;
};

}  // namespace

void run_room(const Options& options, Window& window) {
  const std::size_t batch = options.workload == "room1kx16" ? 16 : 1;
  const std::size_t default_members = options.workload == "room10k" ? 10'000 : 1'000;
  const auto count = options.connections != 0 ? options.connections : default_members;
  FrameExpectation expected;
  expected.payloads.resize(batch);
  Poller poller;
  std::vector<char> buffer(receive_bytes);
  std::vector<Member> members;
  for (std::size_t i = 0; i < count; ++i) {
    members.push_back({open_websocket(options.port, "/ws/room"), FrameAnswers(expected)});
    poller.add(members.back().connection, i);
  }
  // A server may enter a member only after its handshake answer has gone out.
  const timespec settle{0, 50'000'000};
  ::nanosleep(&settle, nullptr);

  std::size_t number = 0;
  // The window opens and closes between batches only, so that it holds whole deliveries.
  while (!window.is_over()) {
    std::string frames;
    for (auto& payload : expected.payloads) {
      payload = text_message(number++, message_bytes);
      frames += client_frame(expected.opcode, payload, mask);
    }
    for (auto& member : members) member.outstanding = batch;
    std::size_t left = batch * members.size();
    const auto asked_ns = now_ns();
    members.front().connection.send_all(frames);  // the first member is the publisher
    while (left != 0) {
      poller.wait([&](std::size_t i) {
        Member& member = members[i];
        const auto got = member.connection.receive(buffer.data(), buffer.size());
        if (got == Connection::would_block) return;
        if (got == 0) throw Failure("connection closed by the server");
        const auto complete = member.answers.feed(buffer.data(), got);
        if (complete > member.outstanding) throw Failure("a message came twice");
        member.outstanding -= complete;
        left -= complete;
        if (complete != 0) window.completed(complete, asked_ns, now_ns());
      });
    }
  }
}

}  // namespace wire_load
