// SPDX-License-Identifier: Apache-2.0
#include "http/chunked_decoder.hpp"

#include "http/scan.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace squall::http {
namespace {

constexpr ChunkError none{};
constexpr std::uint64_t most_chunk = std::numeric_limits<std::int64_t>::max();
constexpr unsigned most_digits = 16;

ChunkError expect(char c, char wanted) noexcept {
  return c == wanted ? none : ChunkError::bad_line_ending;
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.http.chunk"; }
  std::string message(int value) const override {
    switch (static_cast<ChunkError>(value)) {
      case ChunkError::bad_size:
        return "malformed chunk size";
      case ChunkError::size_overflow:
        return "chunk size too large";
      case ChunkError::bad_line_ending:
        return "chunk framed without CRLF";
      case ChunkError::line_too_long:
        return "chunk size line too long";
      case ChunkError::bad_trailer:
        return "malformed trailer field";
      case ChunkError::trailers_too_large:
        return "trailer section too large";
    }
    return "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(ChunkError error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

std::uint16_t status_for(ChunkError error) noexcept {
  return error == ChunkError::trailers_too_large ? 431 : 400;
}

Result<ChunkedDecoder::Step> ChunkedDecoder::next(std::string_view in) {
  const char* const begin = in.data();
  const char* const end = begin + in.size();
  const char* at = begin;
  while (at != end && state_ != State::done) {
    if (state_ == State::data) {
      const auto size =
          static_cast<std::size_t>(std::min(remaining_, static_cast<std::uint64_t>(end - at)));
      remaining_ -= size;
      if (remaining_ == 0) state_ = State::data_carriage;
      return Step{static_cast<std::size_t>(at - begin) + size, {at, size}, false};
    }
    const ChunkError error = read_framing(at, end);
    if (error != none) return error;
  }
  return Step{static_cast<std::size_t>(at - begin), {}, state_ == State::done};
}

/// Takes one byte of framing, or a run of them.
ChunkError ChunkedDecoder::read_framing(const char*& at, const char* end) {
  ChunkError error = none;
  switch (state_) {
    case State::size:
      return read_size(*at++);
    case State::size_space:
      return read_after_size(*at++);
    case State::extension:
      error = skip_text(at, end, limits::chunk_line_bytes, ChunkError::line_too_long,
                        ChunkError::bad_size);
      if (error == none && at != end) {
        ++at;
        state_ = State::size_line_feed;
      }
      return error;
    case State::size_line_feed:
      return end_size_line(*at++);
    case State::data_carriage:
      state_ = State::data_line_feed;
      return expect(*at++, '\r');
    case State::data_line_feed:
      state_ = State::size;
      digits_ = 0;
      return expect(*at++, '\n');
    case State::trailer_start:
      if (*at == '\r') {
        ++at;
        state_ = State::final_line_feed;
        return none;
      }
      return read_trailer_start(*at);
    case State::trailer_name:
      return read_trailer_name(at, end);
    case State::trailer_value:
      return read_trailer_value(at, end);
    case State::trailer_line_feed:
      error = expect(*at++, '\n');
      if (error != none) return error;
      trailers_.end_line();
      state_ = State::trailer_start;
      return none;
    case State::final_line_feed:
      state_ = State::done;
      return expect(*at++, '\n');
    case State::data:
    case State::done:
      break;
  }
  return none;
}

ChunkError ChunkedDecoder::read_size(char c) noexcept {
  const int digit = ascii::hex_value(c);
  if (digit < 0) return digits_ == 0 ? ChunkError::bad_size : read_after_size(c);
  if (digits_ == most_digits || remaining_ > most_chunk >> 4) return ChunkError::size_overflow;
  remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
  ++digits_;
  ++line_bytes_;
  return none;
}

ChunkError ChunkedDecoder::read_after_size(char c) noexcept {
  if (++line_bytes_ > limits::chunk_line_bytes && c != '\r') return ChunkError::line_too_long;
  const bool after_space = state_ == State::size_space;
  if (c == ';') {
    state_ = State::extension;
  } else if (ascii::is_blank(c)) {
    state_ = State::size_space;
  } else if (c == '\r' && !after_space) {
    state_ = State::size_line_feed;
  } else {
    // A bare LF as the end of this line is a known way to smuggle (RFC 9112 §7.1, §11.2).
    return c == '\n' ? ChunkError::bad_line_ending : ChunkError::bad_size;
  }
  return none;
}

ChunkError ChunkedDecoder::end_size_line(char c) noexcept {
  line_bytes_ = 0;
  state_ = remaining_ == 0 ? State::trailer_start : State::data;
  return expect(c, '\n');
}

/// Looks at the first byte of a field's name, and takes nothing.
ChunkError ChunkedDecoder::read_trailer_start(char c) noexcept {
  if (c == '\n') return ChunkError::bad_line_ending;
  if (!ascii::is(c, ascii::token)) return ChunkError::bad_trailer;
  if (++trailer_count_ > limits::field_count) return ChunkError::trailers_too_large;
  state_ = State::trailer_name;
  return none;
}

ChunkError ChunkedDecoder::read_trailer_name(const char*& at, const char* end) {
  const char* stop = scan::skip_token(at, end);
  const bool colon = stop != end && *stop == ':';
  const bool ended = stop != end && !colon;
  if (colon) ++stop;
  const auto size = static_cast<std::size_t>(stop - at);
  if (size > limits::trailer_bytes - line_bytes_) return ChunkError::trailers_too_large;
  if (ended) return *stop == '\n' ? ChunkError::bad_line_ending : ChunkError::bad_trailer;
  line_bytes_ += static_cast<std::uint32_t>(size);
  trailers_.append({at, size});
  at = stop;
  if (colon) state_ = State::trailer_value;
  return none;
}

ChunkError ChunkedDecoder::read_trailer_value(const char*& at, const char* end) {
  const char* const from = at;
  const ChunkError error = skip_text(at, end, limits::trailer_bytes, ChunkError::trailers_too_large,
                                     ChunkError::bad_trailer);
  if (error != none) return error;
  trailers_.append({from, static_cast<std::size_t>(at - from)});
  if (at != end) {
    ++at;
    state_ = State::trailer_line_feed;
  }
  return none;
}

/// Skips to the CR of the line, or to `end`; more than `most` bytes of a line are `too_long`.
ChunkError ChunkedDecoder::skip_text(const char*& at, const char* end, std::size_t most,
                                     ChunkError too_long, ChunkError bad) noexcept {
  const char* const stop = scan::skip_value(at, end);
  const auto skipped = static_cast<std::size_t>(stop - at);
  if (skipped > most - std::min<std::size_t>(most, line_bytes_)) return too_long;
  line_bytes_ += static_cast<std::uint32_t>(skipped);
  at = stop;
  if (at == end || *at == '\r') return none;
  return *at == '\n' ? ChunkError::bad_line_ending : bad;
}

}  // namespace squall::http
