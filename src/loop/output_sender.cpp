// SPDX-License-Identifier: Apache-2.0
#include "loop/output_sender.hpp"

#include "loop/loop_core.hpp"
#include "loop/stream.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

namespace squall::loop {
namespace {

constexpr std::size_t gather_limit = 64;
constexpr std::size_t turn_send_bytes = 1024 * 1024;

ssize_t send_segments(int fd, bool is_socket, const OutputQueue& output) {
  iovec parts[gather_limit];
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = output.gather(parts, gather_limit);
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < message.msg_iovlen; ++i) wanted += parts[i].iov_len;
  const int more = wanted < output.size() ? MSG_MORE : 0;
  return is_socket ? ::sendmsg(fd, &message, MSG_NOSIGNAL | more)
                   : ::writev(fd, parts, static_cast<int>(message.msg_iovlen));
}

}  // namespace

SendOutcome send_output(Stream& stream, std::error_code& error) noexcept {
  const int fd = stream.native_handle();
  const bool is_socket = stream.is_socket();
  OutputQueue& output = stream.wire();
  std::size_t budget = turn_send_bytes;
  while (!output.is_empty()) {
    if (budget == 0) return SendOutcome::share_used;
    Segment* const front = output.front();
    ssize_t sent = 0;
    if (front->kind == Segment::Kind::file) {
      auto* const file = static_cast<FileSegment*>(front);
      const std::size_t ready = stream.ready_bytes(*file, std::min(front->size, budget));
      if (ready == 0) return SendOutcome::reading;
      off_t offset = file->offset;
      sent = ::sendfile(fd, file->file.get(), &offset, ready);
      if (sent == 0) {  // the file has become shorter than it was said to be
        error = std::make_error_code(std::errc::io_error);
        return SendOutcome::broken;
      }
    } else if (const Segment* const next = output.after(*front);
               next == nullptr || next->kind == Segment::Kind::file) {
      const int more = next != nullptr ? MSG_MORE : 0;
      sent = is_socket ? ::send(fd, front->data, front->size, MSG_NOSIGNAL | more)
                       : ::write(fd, front->data, front->size);
    } else {
      sent = send_segments(fd, is_socket, output);
    }
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return SendOutcome::blocked;
      error = {errno, std::generic_category()};
      return SendOutcome::broken;
    }
    output.consume(stream.core().blocks(), static_cast<std::size_t>(sent));
    budget -= std::min(budget, static_cast<std::size_t>(sent));
  }
  return SendOutcome::all_sent;
}

}  // namespace squall::loop
