// SPDX-License-Identifier: Apache-2.0
#include "net/tls_filter.hpp"
#include "net/tls_handshake.hpp"
#include "net/tls_turn.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

// What the owner has written, made into records.
namespace squall::net {

using loop::OutputQueue;
using loop::Segment;

void TLSFilter::seal(OutputQueue& wire) {
  if (!is_ready()) return;
  sealing_ = true;
  while (!plain().is_empty() && wire.size() < wire_limit_bytes) {
    const bool is_file = plain().front()->kind == Segment::Kind::file;
    if (!(established_ ? seal_records(wire) : is_file ? seal_file() : seal_memory())) break;
  }
  sealing_ = false;
}

void TLSFilter::seal_end(OutputQueue&) {
  if (!is_ready()) return;
  if (established_) {
    static_cast<void>(send_message(TLSContent::alert, {"\1\0", 2}));  // warning, close_notify
    return;
  }
  sealing_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
  sealing_ = false;
}

// From a file at the front of what is to be sent; nothing when it must be read first, or, with the
// connection's end, when that fails.
std::span<const char> TLSFilter::read_file() {
  auto* const file = static_cast<loop::FileSegment*>(plain().front());
  const std::span<char> buffer = TLSTurn::here().gather_buffer();
  const std::size_t wanted = stream_.ready_bytes(*file, std::min(buffer.size(), file->size));
  if (wanted == 0) return {};  // sealed when the stream is flushed again
  ssize_t got;
  do {
    got = ::pread(file->file.get(), buffer.data(), wanted, file->offset);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) {
    // The file has become shorter than it was said to be: without close_notify, the peer notices.
    fail(got < 0 ? std::error_code(errno, std::generic_category())
                 : std::make_error_code(std::errc::io_error),
         "a file cannot be read");
    return {};
  }
  return buffer.first(static_cast<std::size_t>(got));
}

bool TLSFilter::seal_file() {
  const std::span<const char> bytes = read_file();
  return !bytes.empty() && encrypt(bytes.data(), bytes.size());
}

bool TLSFilter::seal_memory() {
  constexpr std::size_t record = TLSTurn::record_bytes;
  Segment* const front = plain().front();
  const std::size_t all = plain().size();
  if (front->size == all || front->size >= record) {
    std::size_t size = std::min(front->size, TLSTurn::here().gather_buffer().size());
    // Whole records; the rest goes into one with what follows.
    if (size < all && size > record) size -= size % record;
    return encrypt(front->data, size);
  }
  // Many small ones: a record of its own for each would cost 22 bytes and a microsecond.
  const std::span<char> buffer = TLSTurn::here().gather_buffer().first(record);
  std::size_t size = 0;
  for (const Segment* segment = front;
       segment != nullptr && segment->kind != Segment::Kind::file && size < buffer.size();
       segment = plain().after(*segment)) {
    const std::size_t part = std::min(segment->size, buffer.size() - size);
    std::memcpy(buffer.data() + size, segment->data, part);
    size += part;
  }
  return encrypt(buffer.data(), size);
}

bool TLSFilter::encrypt(const char* bytes, std::size_t size) {
  std::size_t written = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_, bytes, size, &written);
  if (result != 1) {
    const TLSFailure failure = take_failure(ssl_, result);
    fail(failure.error, failure.reason);
    return false;
  }
  plain().consume(stream_.core().blocks(), written);
  return true;
}

}  // namespace squall::net
