// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/trailers.hpp"

#include <squall/base/limits.hpp>
#include <squall/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

namespace squall::http {

/// Why a chunked body was refused (RFC 9112 §7.1); the server answers status_for() and closes.
enum class ChunkError : std::uint8_t {
  bad_size = 1,        ///< 400: no hexadecimal digits, or junk after them
  size_overflow,       ///< 400: more than 16 digits, or past 2^63
  bad_line_ending,     ///< 400: a bare CR or LF, or no CRLF after a chunk's data
  line_too_long,       ///< 400: size and extensions past limits::chunk_line_bytes
  bad_trailer,         ///< 400: not a field line
  trailers_too_large,  ///< 431: past limits::trailer_bytes or limits::field_count
};
std::error_code make_error_code(ChunkError error) noexcept;
[[nodiscard]] std::uint16_t status_for(ChunkError error) noexcept;

/// Takes a chunked body apart (RFC 9112 §7.1), where its bytes lie; resumable at any byte.
/// Extensions are skipped, trailer fields collected; without any nothing is allocated.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  ///< bytes of `in` that are done with, data among them
    std::string_view data;     ///< a piece of the body within `in`; may be empty
    bool done = false;         ///< the last chunk and the trailer section have ended
  };

  /// Looks at `in` and returns with the next piece of data, at the end of the body, or when `in`
  /// is used up (then consumed == in.size() and data is empty). Call it again with the rest.
  /// Once done it takes no more bytes: those belong to the next message. After an error it is not
  /// to be called again. What is refused does not depend on how the bytes were cut.
  Result<Step> next(std::string_view in);

  /// The trailer fields (RFC 9112 §7.1.2) that may be ones (is_trailer_allowed(), the others are
  /// dropped), all of them once done: at most limits::field_count of limits::trailer_bytes.
  [[nodiscard]] const Trailers& trailers() const noexcept { return trailers_; }
  /// The same for who keeps them longer than the decoder lives.
  [[nodiscard]] Trailers take_trailers() noexcept { return std::exchange(trailers_, Trailers()); }

 private:
  enum class State : std::uint8_t {
    size,               // hexadecimal digits
    size_space,         // white space after them, which only an extension may follow
    extension,          // from its semicolon to CR
    size_line_feed,     // LF of the size line
    data,               // the chunk's bytes
    data_carriage,      // CR after them
    data_line_feed,     // LF after them
    trailer_start,      // first byte of a trailer line
    trailer_name,       // a trailer field's name
    trailer_value,      // its value
    trailer_line_feed,  // LF of a trailer line
    final_line_feed,    // LF of the empty line
    done,
  };

  ChunkError read_framing(const char*& at, const char* end);
  ChunkError read_size(char c) noexcept;
  ChunkError read_after_size(char c) noexcept;
  ChunkError read_trailer_start(char c) noexcept;
  ChunkError read_trailer_name(const char*& at, const char* end);
  ChunkError read_trailer_value(const char*& at, const char* end);
  ChunkError end_size_line(char c) noexcept;
  ChunkError skip_text(const char*& at, const char* end, std::size_t most, ChunkError too_long,
                       ChunkError bad) noexcept;

  Trailers trailers_;

  std::uint64_t remaining_ = 0;   // bytes of the chunk still to come, or its size while it is read
  std::uint32_t line_bytes_ = 0;  // of the size line, or of the trailer section
  std::uint16_t trailer_count_ = 0;
  std::uint8_t digits_ = 0;
  State state_ = State::size;
};

}  // namespace squall::http

template <>
struct std::is_error_code_enum<squall::http::ChunkError> : std::true_type {};
