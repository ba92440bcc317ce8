// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace squall::http {

/// The parameters of a Content-Disposition, and how browsers and clients really write them: a
/// backslash stands for itself, except before a quote or another backslash; `%22`, `%0D` and `%0A`
/// are what the HTML standard makes of a quote and line ends. `filename*` (RFC 8187, in UTF-8 or
/// ISO-8859-1) goes before `filename`; one that is malformed is passed over.
struct ContentDisposition {
  std::string_view type;  ///< within what was parsed
  std::string name;
  std::string filename;  ///< as the client says: never to be used as a path
  bool has_name = false;
  bool has_filename = false;
};

/// False when it is malformed, or has one of these parameters twice.
[[nodiscard]] bool parse_content_disposition(std::string_view value, ContentDisposition& out);

/// The head of one part of a multipart/form-data body (RFC 7578 §4).
class PartHead {
 public:
  [[nodiscard]] const std::string& name() const noexcept { return disposition_.name; }
  [[nodiscard]] bool has_filename() const noexcept { return disposition_.has_filename; }
  /// As the client says: never to be used as a path.
  [[nodiscard]] const std::string& filename() const noexcept { return disposition_.filename; }
  /// The part's Content-Type, "" without one.
  [[nodiscard]] std::string_view content_type() const noexcept { return field("Content-Type"); }
  /// The first field of that name, in any case; "" when there is none.
  [[nodiscard]] std::string_view field(std::string_view name) const noexcept;

 private:
  friend class MultipartParser;
  enum class Fault : std::uint8_t { none, malformed, too_many_fields, disposition };

  void clear() noexcept;
  /// Looks at the lines in text_, the empty one at the end among them.
  [[nodiscard]] Fault parse(std::size_t max_fields);

  std::string text_;
  std::size_t line_at_ = 0;  // where its last line begins
  ContentDisposition disposition_;
};

}  // namespace squall::http
