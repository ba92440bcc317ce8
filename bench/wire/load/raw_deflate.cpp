// SPDX-License-Identifier: Apache-2.0
#include "load/raw_deflate.hpp"

#include "load/sockets.hpp"

#include <zlib.h>

namespace wire_load {
namespace {

constexpr std::string_view tail("\0\0\xff\xff", 4);

Bytef* bytes(const char* data) { return reinterpret_cast<Bytef*>(const_cast<char*>(data)); }

}  // namespace

std::string raw_deflate(std::string_view message) {
  z_stream stream{};
  if (::deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw Failure("zlib");
  }
  std::string out(::deflateBound(&stream, message.size()) + 16, '\0');
  stream.next_in = bytes(message.data());
  stream.avail_in = static_cast<uInt>(message.size());
  stream.next_out = bytes(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::deflate(&stream, Z_SYNC_FLUSH);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (!std::string_view(out).ends_with(tail)) throw Failure("zlib did not flush");
  out.resize(out.size() - tail.size());
  return out;
}

std::string raw_inflate(std::string_view compressed, std::size_t limit) {
  z_stream stream{};
  if (::inflateInit2(&stream, -15) != Z_OK) throw Failure("zlib");
  std::string in(compressed);
  in += tail;
  std::string out(limit + 1, '\0');
  stream.next_in = bytes(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = bytes(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = ::inflate(&stream, Z_SYNC_FLUSH);
  const bool is_whole = (result == Z_OK || result == Z_STREAM_END) && stream.avail_in == 0;
  out.resize(stream.total_out);
  ::inflateEnd(&stream);
  if (!is_whole || out.size() > limit) throw Failure("a message that cannot be inflated");
  return out;
}

}  // namespace wire_load
