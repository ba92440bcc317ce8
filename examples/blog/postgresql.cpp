// SPDX-License-Identifier: Apache-2.0
#include "postgresql.hpp"

#include <libpq-fe.h>
#include <map>
#include <poll.h>

namespace {

struct Finish {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
struct Clear {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

/// Its messages end in a new line.
std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \n") + 1);
  return text;
}

class PostgreSQLConnection final : public Connection {
 public:
  explicit PostgreSQLConnection(const std::string& url) {
    // What stands before the URL may be said otherwise in it.
    const char* const names[] = {"connect_timeout", "application_name", "dbname", "client_encoding",
                                 nullptr};
    const char* const values[] = {"5", "squall-blog", url.c_str(), "UTF8", nullptr};
    connection_.reset(PQconnectdbParams(names, values, 1));
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail();
    change_schema("SET statement_timeout = '10s'");
    change_schema("SET client_min_messages = warning");
  }

  std::vector<Row> query(SQL sql, std::initializer_list<std::string_view> parameters) override {
    const std::string& name = prepared(sql.text());
    const std::vector<std::string> texts(parameters.begin(), parameters.end());
    std::vector<const char*> values;
    for (const std::string& text : texts) {
      if (text.find('\0') != std::string::npos) throw DatabaseError("a text with a NUL");
      values.push_back(text.c_str());
    }
    const Result result(PQexecPrepared(connection_.get(), name.c_str(),
                                       static_cast<int>(values.size()), values.data(), nullptr,
                                       nullptr, 0));
    check(result.get());
    std::vector<Row> rows;
    for (int i = 0; i < PQntuples(result.get()); ++i) {
      Row& row = rows.emplace_back();
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        const int size = PQgetlength(result.get(), i, column);
        row.emplace_back(PQgetvalue(result.get(), i, column), static_cast<std::size_t>(size));
      }
    }
    return rows;
  }

  // A server has nothing to say to a connection that rests, but that it ends.
  bool is_usable() override {
    pollfd waiting{PQsocket(connection_.get()), POLLIN, 0};
    return PQstatus(connection_.get()) == CONNECTION_OK &&
           PQtransactionStatus(connection_.get()) == PQTRANS_IDLE && poll(&waiting, 1, 0) == 0;
  }

  void begin_alone() override {
    change_schema("BEGIN");
    change_schema("SELECT pg_advisory_xact_lock(7117)");
  }
  void change_schema(const std::string& statement) override {
    check(Result(PQexec(connection_.get(), statement.c_str())).get());
  }
  [[nodiscard]] std::string_view id_column() const override {
    return "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
  }

 private:
  const std::string& prepared(std::string_view sql) {
    const auto found = statements_.find(sql);
    if (found != statements_.end()) return found->second;
    std::string name = "s" + std::to_string(statements_.size());
    const std::string text(sql);
    check(Result(PQprepare(connection_.get(), name.c_str(), text.c_str(), 0, nullptr)).get());
    return statements_.emplace(sql, std::move(name)).first->second;
  }

  void check(const PGresult* result) const {
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
    const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state != nullptr && std::string_view(state) == "23505") {
      throw AlreadyThere(trimmed(PQresultErrorMessage(result)));
    }
    fail();
  }
  [[noreturn]] void fail() const {
    throw DatabaseError("PostgreSQL: " + trimmed(PQerrorMessage(connection_.get())));
  }

  std::unique_ptr<PGconn, Finish> connection_;
  std::map<std::string_view, std::string> statements_;  // names by texts, which are in the program
};

}  // namespace

std::unique_ptr<Connection> connect_to_postgresql(const std::string& url) {
  return std::make_unique<PostgreSQLConnection>(url);
}
