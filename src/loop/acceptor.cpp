// SPDX-License-Identifier: Apache-2.0
#include "loop/engine.hpp"

#include <algorithm>
#include <cerrno>

namespace squall::loop {
namespace {
constexpr unsigned turn_accepts = 64;
}

std::error_code Acceptor::accept_waiting() {
  // One at a time while connections come singly, more while they come in crowds: asking once more
  // just to hear EAGAIN would cost every lone connection a system call.
  for (unsigned i = 0; i < batch; ++i) {
    sockaddr_storage peer;
    socklen_t size = sizeof peer;
    UniqueFd connection(
        ::accept4(fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!connection) {
      switch (errno) {
        case EAGAIN:
          batch = 1;
          return {};
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
          return {errno, std::generic_category()};
        default:
          continue;  // the connection died in the queue (ECONNABORTED and its kin)
      }
    }
    on_accept(std::move(connection), peer);
    if (fd < 0) return {};  // closed meanwhile
  }
  batch = std::min(batch * 2, turn_accepts);
  return {};
}

}  // namespace squall::loop
