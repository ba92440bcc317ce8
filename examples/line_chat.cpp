// SPDX-License-Identifier: Apache-2.0
// A chat for people with a terminal: what one types, all others read. Try `nc localhost 8889`.
#include <squall/loop/ioloop.hpp>
#include <squall/net/tcp_server.hpp>
#include <squall/options.hpp>

#include <csignal>
#include <cstdio>
#include <set>
#include <string>
#include <utility>

using namespace squall;

class ChatServer : public net::TCPServer {
 public:
  ~ChatServer() override { end_all(); }  // members leave while there is still a room to leave

  Task<> handle_stream(net::Stream stream, net::SocketAddress) override {
    stream.write("Your name?\n");
    const auto name = co_await stream.read_line(100);
    if (!name || name->empty()) co_return;
    const Member member(*this, *name, stream);
    for (;;) {
      const auto line = co_await stream.read_line(1000);  // longer ones end the connection
      if (!line) co_return;
      tell_others(&member, *name + ": " + *line + "\n");
    }
  }

 private:
  /// In the room from its construction to its end, however the conversation ends.
  struct Member {
    Member(ChatServer& in, std::string called, net::Stream& heard_on)
        : room(in), name(std::move(called)), stream(heard_on) {
      stream.write("Welcome, " + name + ". Here are " + std::to_string(room.members_.size()) +
                   " others.\n");
      room.members_.insert(this);
      room.tell_others(this, name + " has come.\n");
    }
    ~Member() {
      room.members_.erase(this);
      room.tell_others(this, name + " has left.\n");
    }
    ChatServer& room;
    std::string name;
    net::Stream& stream;
  };

  void tell_others(const Member* speaker, const std::string& text) {
    for (const Member* member : members_) {
      if (member == speaker) continue;
      // Nobody waits for a member who does not read; one who is far behind is let go.
      if (member->stream.pending_bytes() > 256 * 1024) {
        member->stream.abort();
      } else {
        member->stream.write(text);
      }
    }
  }

  std::set<const Member*> members_;
};

int main(int argc, char** argv) {
  OptionParser parser({.description = "A chat for people with a terminal."});
  const auto port = parser.argument<std::uint16_t>("port", 8889, "listen on this port");
  parser.parse_command_line_or_exit(argc, argv);
  ChatServer server;
  std::printf("listening on %d\n", server.listen(*port, {.address = "localhost"}));
  std::fflush(stdout);
  IOLoop& loop = IOLoop::current();
  loop.add_signal_handler(SIGTERM, [&loop] { loop.stop(); });
  loop.start();
}
