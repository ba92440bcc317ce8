// SPDX-License-Identifier: Apache-2.0
#include "migrations.hpp"

#include <string>

namespace {

/// Never changed once they are out: what is new is a step of its own. `{id}` is a column of ids.
const std::vector<std::vector<std::string>> steps = {
    {
        R"(CREATE TABLE authors (
             id {id},
             email TEXT NOT NULL UNIQUE,
             name TEXT NOT NULL,
             password_hash TEXT NOT NULL,
             only_one INTEGER NOT NULL DEFAULT 1 UNIQUE))",
        R"(CREATE TABLE entries (
             id {id},
             author_id BIGINT NOT NULL REFERENCES authors (id),
             slug TEXT NOT NULL UNIQUE,
             title TEXT NOT NULL,
             text TEXT NOT NULL,
             published BIGINT NOT NULL,
             updated BIGINT NOT NULL))",
        "CREATE INDEX entries_by_time ON entries (published)",
    },
    {
        "CREATE TABLE secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    },
};

std::string with_ids(std::string statement, const Connection& connection) {
  const std::size_t place = statement.find("{id}");
  if (place != std::string::npos) statement.replace(place, 4, connection.id_column());
  return statement;
}

}  // namespace

void migrate(Connection& connection) {
  connection.begin_alone();
  connection.change_schema("CREATE TABLE IF NOT EXISTS migrations (step BIGINT PRIMARY KEY)");
  const std::size_t done =
      std::stoul(connection.query("SELECT count(*) FROM migrations").at(0).at(0));
  if (done > steps.size()) {
    throw DatabaseError("the database is of a newer version of this program");
  }
  for (std::size_t i = done; i < steps.size(); ++i) {
    for (const std::string& statement : steps[i]) {
      connection.change_schema(with_ids(statement, connection));
    }
    connection.query("INSERT INTO migrations (step) VALUES ($1)", {std::to_string(i + 1)});
  }
  connection.change_schema("COMMIT");
}
