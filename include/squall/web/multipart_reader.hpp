// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/limits.hpp>
#include <squall/coro/task.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace squall::web {

class HTTPServerRequest;

/// Where the bytes of a body come from.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// The next piece, valid until the next call; empty at the end.
  virtual Task<std::string_view> read() = 0;
};

/// What a MultipartReader lets through; past it the answer is 413.
struct MultipartReaderOptions {
  std::size_t max_parts = limits::multipart_parts;
  std::size_t max_part_head = limits::multipart_head_bytes;  ///< bytes
  /// Bytes of the whole form; zero leaves that to the body's own limit.
  std::uint64_t max_bytes = 0;
};
static_assert(std::is_trivially_destructible_v<MultipartReaderOptions>);

/// One part of a form that is read as it comes. It belongs to its reader, and is valid until the
/// next next_part().
class MultipartPart {
 public:
  [[nodiscard]] const std::string& name() const noexcept;
  /// Whether it is a file; browsers send an empty filename for an input that was left empty.
  [[nodiscard]] bool has_filename() const noexcept;
  /// As the client says: never to be used as a path.
  [[nodiscard]] const std::string& filename() const noexcept;
  /// The part's Content-Type, "" without one.
  [[nodiscard]] std::string_view content_type() const noexcept;
  /// The first field of that name in the part's head, in any case; "" when there is none.
  [[nodiscard]] std::string_view field(std::string_view name) const noexcept;

  /// The next piece of the part's data, valid until the next call on the reader or the part; empty
  /// at its end. HTTPError 400 when the form is malformed or ends early, 413 past a limit.
  [[nodiscard]] Task<std::string_view> read();
  /// All the data that was not read yet; HTTPError 413 when it is more than `max_bytes`.
  [[nodiscard]] Task<std::string> read_all(std::size_t max_bytes = limits::form_value_bytes);

 private:
  friend class MultipartReader;
  MultipartPart() noexcept = default;
  struct State;
  State* state_ = nullptr;
};

/// Reads a multipart/form-data body part by part, while it comes: nothing is gathered, and the
/// client is not read from faster than the handler reads here.
///
///     struct Upload : web::RequestHandler {
///       static constexpr bool stream_request_body = true;
///       Task<> post() {
///         web::MultipartReader form(request());
///         for (;;) {
///           web::MultipartPart* const part = co_await form.next_part();
///           if (part == nullptr) break;
///           for (;;) {
///             const std::string_view piece = co_await part->read();
///             if (piece.empty()) break;
///             ...
///           }
///         }
///       }
///     };
///
/// It must outlive its tasks; one of them at a time. A UsageError otherwise.
class MultipartReader {
 public:
  /// Of a request, best of a handler that streams. HTTPError 415 when it has no such form, 400 when
  /// its boundary is missing or not legal.
  explicit MultipartReader(const HTTPServerRequest& request,
                           const MultipartReaderOptions& options = {});
  /// Of another source, which must outlive this.
  MultipartReader(std::string_view content_type, BodySource& source,
                  const MultipartReaderOptions& options = {});
  MultipartReader(const MultipartReader&) = delete;
  MultipartReader& operator=(const MultipartReader&) = delete;
  ~MultipartReader();

  /// Goes on to the next part, over what was not read of the last one; nullptr behind the last.
  /// HTTPError 400 when the form is malformed or ends early, 413 past a limit.
  [[nodiscard]] Task<MultipartPart*> next_part();

 private:
  MultipartPart part_;
};

}  // namespace squall::web
