// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "floor/answers.hpp"
#include "floor/websocket.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <vector>

namespace bench_floor {

[[noreturn]] inline void die(const char* what, int error = errno) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(error));
  std::exit(1);
}

/// A listening socket on 127.0.0.1; `flags` as for socket(2).
inline int listen_on(std::uint16_t port, int flags) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Accepted sockets inherit this, so that it costs no call a connection.
  ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    die("bind");
  }
  if (::listen(listener, 4096) != 0) die("listen");
  return listener;
}

/// Which of the fixed answers is due, and to whom: what the floors have in common. How bytes come
/// and go is `Self`'s, which derives from it: send_all, lasting (a text that would be gone before
/// the turn's sends are out), send_echo, send_static, close_connection.
template <class Self>
class FloorProtocol {
 protected:
  enum class Kind : std::uint8_t { closed, http, echo, room, feed };
  /// Held only while a request or an answer is half done.
  struct Unfinished {
    std::string in;
    std::string out;
    std::size_t file_left = 0;
  };
  struct Slot {
    std::unique_ptr<Unfinished> unfinished;
    std::uint32_t member = 0;  // place in members_ or streams_, for a room or a feed
    Kind kind = Kind::closed;
  };

  explicit FloorProtocol(const std::string& static_dir);

  Slot& slot(int fd) { return slots_[static_cast<std::size_t>(fd)]; }
  void open_slot(int fd) {
    if (slots_.size() <= static_cast<std::size_t>(fd)) {
      slots_.resize(static_cast<std::size_t>(fd) + 1024);
    }
    slot(fd).kind = Kind::http;
  }
  /// The connection is over.
  void forget(int fd);
  Unfinished& unfinished(int fd) {
    if (!slot(fd).unfinished) slot(fd).unfinished = std::make_unique<Unfinished>();
    return *slot(fd).unfinished;
  }
  bool sending(int fd) {
    const auto& rest = slot(fd).unfinished;
    return rest && (!rest->out.empty() || rest->file_left != 0);
  }

  /// Returns the bytes consumed of `data`; the connection may be closed on return.
  std::size_t process(int fd, char* data, std::size_t size);

  int file_ = -1;
  std::size_t file_size_ = 0;
  std::string static_head_;

 private:
  static constexpr std::size_t repeated_count = 64;

  std::size_t process_http(int fd, char* data, std::size_t size);
  std::size_t process_frames(int fd, char* data, std::size_t size);
  std::size_t process_post(int fd, std::string_view head, std::string_view rest);
  void publish(int fd, std::string_view data);
  void enter(int fd, Kind kind, std::vector<int>& all);
  void leave(Slot& closing, std::vector<int>& all);
  void upgrade(int fd, std::string_view head);
  void send_plain(int fd, std::size_t count);
  Self& self() { return static_cast<Self&>(*this); }

  std::vector<Slot> slots_;
  std::vector<int> members_;  // of the room
  std::vector<int> streams_;  // of the feed
  std::string plain_ = answer("text/plain", "Hello, World!");
  std::string plain_closing_ = answer("text/plain", "Hello, World!", true);
  std::string repeated_;  // plain_ many times: pipelined requests cost no copy
  std::string published_ = "HTTP/1.1 204 No Content\r\n" + std::string(server_headers) + "\r\n";
  std::string stream_head_ = "HTTP/1.1 200 OK\r\n" + std::string(server_headers) +
                             "Content-Type: text/event-stream\r\nCache-Control: no-store\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n";
  std::string json_ = answer("application/json", R"({"message":"Hello, World!"})");
};

template <class Self>
FloorProtocol<Self>::FloorProtocol(const std::string& static_dir) {
  for (std::size_t i = 0; i < repeated_count; ++i) repeated_ += plain_;
  file_ = ::open((static_dir + "/100k.bin").c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file_ >= 0 && ::fstat(file_, &status) == 0) {
    file_size_ = static_cast<std::size_t>(status.st_size);
  }
  static_head_ = BinaryHead(file_size_).text();
}

template <class Self>
std::size_t FloorProtocol<Self>::process(int fd, char* data, std::size_t size) {
  std::size_t used = 0;
  while (used < size && slot(fd).kind == Kind::http && !sending(fd)) {
    const auto step = process_http(fd, data + used, size - used);
    if (step == 0) return used;
    used += step;
  }
  if (used == size || slot(fd).kind == Kind::closed || slot(fd).kind == Kind::http) return used;
  if (slot(fd).kind == Kind::feed) return size;
  return used + process_frames(fd, data + used, size - used);
}

/// Answers the run of plain requests at the front with one send, or one request of another kind.
template <class Self>
std::size_t FloorProtocol<Self>::process_http(int fd, char* data, std::size_t size) {
  std::size_t used = 0;
  std::size_t plain_count = 0;
  while (used < size) {
    const std::string_view left(data + used, size - used);
    const auto end = left.find("\r\n\r\n");
    if (end == std::string_view::npos) break;
    const std::string_view head = left.substr(0, end + 4);
    const char first = head.size() > 5 ? head[5] : '\0';
    if (head[0] == 'G' && first != 'j' && first != 's' && first != 'w' && first != 'f') {
      used += head.size();
      if (head.ends_with("close\r\n\r\n")) {
        send_plain(fd, plain_count);
        self().send_all(fd, plain_closing_);
        self().close_connection(fd);
        return used;
      }
      ++plain_count;
      continue;
    }
    if (plain_count != 0) break;
    if (head[0] == 'P') return process_post(fd, head, left.substr(head.size()));
    if (first == 'j') self().send_all(fd, json_);
    if (first == 's') self().send_static(fd);
    if (first == 'w') upgrade(fd, head);
    if (first == 'f') {
      self().send_all(fd, stream_head_);
      enter(fd, Kind::feed, streams_);
    }
    return head.size();
  }
  send_plain(fd, plain_count);
  return used;
}

template <class Self>
std::size_t FloorProtocol<Self>::process_post(int fd, std::string_view head,
                                              std::string_view rest) {
  constexpr std::string_view name = "Content-Length: ";
  const auto at = head.find(name);
  std::size_t length = 0;
  if (at != std::string_view::npos) {
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
  }
  if (rest.size() < length) return 0;
  if (head[6] == 'f') {
    publish(fd, rest.substr(0, length));
  } else {
    self().send_echo(fd, rest.substr(0, length));
  }
  return head.size() + length;
}

/// One event to every stream of the feed, framed once.
template <class Self>
void FloorProtocol<Self>::publish(int fd, std::string_view data) {
  constexpr std::string_view field = "data: ";
  std::array<char, 16> digits;
  const std::size_t size = field.size() + data.size() + 2;
  const char* const end = std::to_chars(digits.begin(), digits.end(), size, 16).ptr;
  std::string chunk(digits.data(), static_cast<std::size_t>(end - digits.data()));
  chunk.append("\r\n").append(field).append(data).append("\n\n\r\n");
  const std::string_view event = self().lasting(chunk);
  for (std::size_t i = 0; i < streams_.size(); ++i) self().send_all(streams_[i], event);
  self().send_all(fd, published_);
}

template <class Self>
void FloorProtocol<Self>::enter(int fd, Kind kind, std::vector<int>& all) {
  slot(fd).kind = kind;
  slot(fd).member = static_cast<std::uint32_t>(all.size());
  all.push_back(fd);
}

template <class Self>
void FloorProtocol<Self>::leave(Slot& closing, std::vector<int>& all) {
  all[closing.member] = all.back();
  slot(all.back()).member = closing.member;
  all.pop_back();
}

template <class Self>
void FloorProtocol<Self>::upgrade(int fd, std::string_view head) {
  const std::string text = upgrade_answer(head);
  if (text.empty()) return self().close_connection(fd);
  self().send_all(fd, self().lasting(text));
  if (head.substr(0, 13) == "GET /ws/room ") {
    enter(fd, Kind::room, members_);
  } else {
    slot(fd).kind = Kind::echo;
  }
}

template <class Self>
std::size_t FloorProtocol<Self>::process_frames(int fd, char* data, std::size_t size) {
  const Turned turned = turn_frames(data, size);
  if (turned.out == nullptr) return 0;
  const std::string_view frames(turned.out, turned.out_size);
  if (slot(fd).kind == Kind::room && !turned.closing) {
    // What one read brought goes to each member in one send.
    for (std::size_t i = 0; i < members_.size(); ++i) self().send_all(members_[i], frames);
  } else {
    self().send_all(fd, frames);
  }
  if (turned.closing) self().close_connection(fd);
  return turned.consumed;
}

template <class Self>
void FloorProtocol<Self>::send_plain(int fd, std::size_t count) {
  while (count != 0) {
    const std::size_t batch = count < repeated_count ? count : repeated_count;
    self().send_all(fd, std::string_view(repeated_).substr(0, batch * plain_.size()));
    count -= batch;
  }
}

template <class Self>
void FloorProtocol<Self>::forget(int fd) {
  Slot& closing = slot(fd);
  if (closing.kind == Kind::room) leave(closing, members_);
  if (closing.kind == Kind::feed) leave(closing, streams_);
  closing.kind = Kind::closed;
  closing.unfinished.reset();
}

/// The main function of a floor: `--port N --static DIR`.
template <class Floor>
int run_floor(const char* name, int argc, char** argv) {
  std::uint16_t port = 0;
  std::string static_dir = ".";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--port") port = static_cast<std::uint16_t>(std::atoi(argv[i + 1]));
    if (option == "--static") static_dir = argv[i + 1];
  }
  if (port == 0) {
    std::fprintf(stderr, "usage: %s --port N --static DIR\n", name);
    return 2;
  }
  Floor(port, static_dir).run();
}

}  // namespace bench_floor
