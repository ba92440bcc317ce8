// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "locale/messages.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace squall::locale {

/// Reads rows of comma-separated values as Python's csv module does with its "excel" dialect: a
/// field that begins with a quote ends at the next one that is not doubled, and may have commas and
/// line breaks.
class CSVReader {
 public:
  explicit CSVReader(std::string_view text) noexcept : text_(text) {}

  /// Moves to the next row; false at the end. A line that is empty is a row of no fields.
  bool next();
  [[nodiscard]] const std::vector<std::string>& fields() const noexcept { return fields_; }
  /// The line that the row begins at, from 1.
  [[nodiscard]] std::size_t line() const noexcept { return row_line_; }
  /// Whether the text ended within quotes, in this row.
  [[nodiscard]] bool is_unfinished() const noexcept { return unfinished_; }

 private:
  [[nodiscard]] bool at_line_break() const noexcept;
  void read_field();
  void skip_line_break();

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t row_line_ = 1;
  bool unfinished_ = false;
  std::vector<std::string> fields_;
};

/// Reads one of Tornado's CSV files, in UTF-8. nullptr when it cannot be used, and `why` with the
/// line. Rows that are left out stand in `notes`, ten at most.
[[nodiscard]] std::unique_ptr<const Messages> read_csv_file(std::string_view text,
                                                            std::size_t max_messages,
                                                            std::string& why,
                                                            std::vector<std::string>& notes);

}  // namespace squall::locale
