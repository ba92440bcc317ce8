// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/error.hpp>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// SQL that stands in the source. Text that is put together at run time does not compile: what
/// users send are parameters, `$1` to `$9`, in both databases.
class SQL {
 public:
  consteval SQL(const char* text) : text_(text) {}  // NOLINT: implicit by design
  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

/// What a database said when it could not.
struct DatabaseError : squall::Error {
  using Error::Error;
};

/// The row would be the second one of what there may be only one of.
struct AlreadyThere : DatabaseError {
  using DatabaseError::DatabaseError;
};

/// The columns of a row, as text.
using Row = std::vector<std::string>;

/// A connection to a database. Its calls block, so they are for the threads of a DatabasePool; one
/// at a time. Failures are a DatabaseError.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  /// Runs a statement, which is prepared once for each connection. Parameters are UTF-8.
  virtual std::vector<Row> query(SQL statement,
                                 std::initializer_list<std::string_view> parameters = {}) = 0;
  /// Whether the next query has a chance.
  virtual bool is_usable() = 0;

  // For migrations.

  /// Begins a transaction of which there is only one at a time, in all processes. COMMIT ends it.
  virtual void begin_alone() = 0;
  virtual void change_schema(const std::string& statement) = 0;
  /// How a column of ids is declared that the database hands out.
  [[nodiscard]] virtual std::string_view id_column() const = 0;
};

/// By URL, `postgresql://...`; anything else is the path of an SQLite file, which is made when it
/// is not there.
std::unique_ptr<Connection> connect_to(const std::string& database);
