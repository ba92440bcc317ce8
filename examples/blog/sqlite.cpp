// SPDX-License-Identifier: Apache-2.0
#include "sqlite.hpp"

#include <map>
#include <sqlite3.h>

namespace {

constexpr int patience_ms = 5000;  // while another connection writes

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
/// A statement that rests keeps no lock.
struct ResetStatement {
  void operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

class SQLiteConnection final : public Connection {
 public:
  explicit SQLiteConnection(const std::string& path) {
    sqlite3* opened = nullptr;
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int result = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
    database_.reset(opened);
    if (result != SQLITE_OK) {
      throw DatabaseError("cannot open the database " + path + ": " + sqlite3_errstr(result));
    }
    sqlite3_busy_timeout(opened, patience_ms);
    try {
      change_schema("PRAGMA journal_mode = WAL");  // readers do not wait for who writes
      change_schema("PRAGMA foreign_keys = ON");
    } catch (const DatabaseError& error) {
      throw DatabaseError("cannot use the database " + path + ": " + error.what());
    }
  }

  std::vector<Row> query(SQL sql, std::initializer_list<std::string_view> parameters) override {
    const std::unique_ptr<sqlite3_stmt, ResetStatement> statement(prepared(sql.text()));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const char name[] = {'$', static_cast<char>('1' + i), '\0'};
      const std::string_view value = parameters.begin()[i];
      check(sqlite3_bind_text64(statement.get(),
                                sqlite3_bind_parameter_index(statement.get(), name), value.data(),
                                value.size(), SQLITE_STATIC, SQLITE_UTF8));
    }
    std::vector<Row> rows;
    for (;;) {
      const int result = sqlite3_step(statement.get());
      if (result == SQLITE_DONE) return rows;
      if (result != SQLITE_ROW) check(result);
      Row& row = rows.emplace_back();
      for (int column = 0; column < sqlite3_column_count(statement.get()); ++column) {
        const auto* const text = sqlite3_column_text(statement.get(), column);
        const auto size = sqlite3_column_bytes(statement.get(), column);
        row.emplace_back(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
      }
    }
  }

  bool is_usable() override { return sqlite3_get_autocommit(database_.get()) != 0; }

  void begin_alone() override { change_schema("BEGIN EXCLUSIVE"); }
  void change_schema(const std::string& statement) override {
    check(sqlite3_exec(database_.get(), statement.c_str(), nullptr, nullptr, nullptr));
  }
  [[nodiscard]] std::string_view id_column() const override { return "INTEGER PRIMARY KEY"; }

 private:
  sqlite3_stmt* prepared(std::string_view sql) {
    auto& statement = statements_[sql];
    if (!statement) {
      sqlite3_stmt* made = nullptr;
      check(sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                               SQLITE_PREPARE_PERSISTENT, &made, nullptr));
      statement.reset(made);
    }
    return statement.get();
  }

  void check(int result) const {
    if (result == SQLITE_OK) return;
    const std::string text = sqlite3_errmsg(database_.get());
    if (result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY) {
      throw AlreadyThere(text);
    }
    throw DatabaseError(text);
  }

  std::unique_ptr<sqlite3, CloseDatabase> database_;
  // By their texts, which are in the program; before the database they go.
  std::map<std::string_view, std::unique_ptr<sqlite3_stmt, FinalizeStatement>> statements_;
};

}  // namespace

std::unique_ptr<Connection> open_sqlite(const std::string& path) {
  return std::make_unique<SQLiteConnection>(path);
}
