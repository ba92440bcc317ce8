// SPDX-License-Identifier: Apache-2.0
#include "database.hpp"

#include "postgresql.hpp"
#include "sqlite.hpp"

std::unique_ptr<Connection> connect_to(const std::string& database) {
  if (database.starts_with("postgresql://") || database.starts_with("postgres://")) {
#ifdef BLOG_HAS_POSTGRESQL
    return connect_to_postgresql(database);
#else
    throw DatabaseError("this program was built without PostgreSQL: libpq was not there");
#endif
  }
  return open_sqlite(database);
}
