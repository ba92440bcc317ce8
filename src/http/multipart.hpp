// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/part_head.hpp"

#include <squall/base/limits.hpp>
#include <squall/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::http {

/// Why a multipart/form-data body was refused (RFC 7578, RFC 2046 §5.1). Malformed ones are 400,
/// what is past a limit is 413.
enum class MultipartError : std::uint8_t {
  bad_boundary = 1,     ///< 400: the Content-Type has no boundary, two, or one that is not legal
  bad_delimiter,        ///< 400: something else than white space behind a boundary
  bad_part_head,        ///< 400: a malformed field, or a line that does not end in CRLF
  bad_disposition,      ///< 400: no Content-Disposition: form-data with one name (RFC 7578 §4.2)
  truncated,            ///< 400: it ended before the final boundary
  preamble_too_large,   ///< 400: no boundary within the first bytes
  part_head_too_large,  ///< 413: a part's head is past its limit on bytes or fields
  too_many_parts,       ///< 413: past the limit on parts
  too_large,            ///< 413: past the limit on all bytes
};
std::error_code make_error_code(MultipartError error) noexcept;
[[nodiscard]] std::uint16_t status_for(MultipartError error) noexcept;

/// What a parser lets through.
struct MultipartLimits {
  std::size_t max_parts = limits::multipart_parts;
  std::size_t max_part_head = limits::multipart_head_bytes;     ///< bytes, with its line ends
  std::size_t max_fields = limits::multipart_head_fields;       ///< of one part
  std::size_t max_preamble = limits::multipart_preamble_bytes;  ///< bytes before the first boundary
  /// Bytes of the whole body; by default only the body's own limit counts.
  std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max();
};

/// Whether a Content-Type says multipart/form-data.
[[nodiscard]] bool is_multipart_form(std::string_view content_type) noexcept;

/// Takes a multipart/form-data body apart, where its bytes lie; resumable at any byte.
///
/// Lines end in CRLF. The preamble is skipped, and so is what follows the final boundary. A part's
/// data is given in pieces as it comes, its head whole. Linear time for any input and cut.
class MultipartParser {
 public:
  enum class Event : std::uint8_t {
    need_more,   ///< `in` is used up
    part_begin,  ///< part() tells which
    data,        ///< a piece of the part's data, never empty
    part_end,    ///< the part is complete
    done,        ///< the final boundary has come; whatever follows is ignored
  };
  struct Step {
    std::size_t consumed = 0;  ///< bytes of `in` that are done with, data among them
    Event event = Event::need_more;
    std::string_view data;  ///< within `in` or the parser; valid until the next call
  };

  /// For a body of that Content-Type, which must be multipart/form-data. The boundary has 1 to 70
  /// of the characters of RFC 2046 §5.1.1; quotes around it may be missing.
  static Result<MultipartParser> create(std::string_view content_type,
                                        const MultipartLimits& limits = {});

  /// Goes on to the next event. Call it with the rest of `in` until it needs more or is done. After
  /// an error it is not to be called again. What comes out, and what is refused, does not depend on
  /// how the bytes were cut, but for where the data's pieces end.
  Result<Step> next(std::string_view in);
  /// To be asked at the end of the body: whether the final boundary has come.
  [[nodiscard]] Result<void> finish() const noexcept;

  /// The head of the part that began last.
  [[nodiscard]] const PartHead& part() const noexcept { return part_; }

 private:
  enum class State : std::uint8_t {
    preamble,      // before the first boundary
    data,          // a part's data
    after_data,    // the boundary behind it has been seen, part_end has not been told
    boundary_end,  // the byte after a boundary
    final_hyphen,  // the second hyphen of the final boundary
    padding,       // white space after a boundary
    line_feed,     // LF of the boundary's line
    head,          // a part's fields
    done,
  };

  MultipartParser(std::string_view boundary, const MultipartLimits& limits);
  Result<Step> advance(std::string_view in);
  Result<Step> find_delimiter(std::string_view in, std::size_t from);
  MultipartError read_line(char c) noexcept;
  MultipartError read_head(std::string_view in, std::size_t& at);
  [[nodiscard]] bool in_preamble() const noexcept { return state_ == State::preamble; }

  MultipartLimits limits_;
  std::string delimiter_;  // CRLF, two hyphens, the boundary
  PartHead part_;
  std::uint64_t total_bytes_ = 0;
  std::size_t preamble_bytes_ = 0;
  std::size_t padding_bytes_ = 0;
  std::size_t part_count_ = 0;
  // Bytes of the delimiter that came last. Its CRLF may be the end of a line that came before the
  // data, or not have come at all: that much is not data if the rest does not follow.
  std::size_t matched_ = 2;
  std::size_t not_data_ = 2;
  State state_ = State::preamble;
};

}  // namespace squall::http

template <>
struct std::is_error_code_enum<squall::http::MultipartError> : std::true_type {};
