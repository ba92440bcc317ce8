// SPDX-License-Identifier: Apache-2.0
#include "store.hpp"

#include "text.hpp"

#include <chrono>
#include <random>

namespace {

std::string now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(since_1970).count());
}

std::optional<Author> author_of(const std::vector<Row>& rows) {
  if (rows.empty()) return {};
  const Row& row = rows[0];
  return Author{std::stoll(row[0]), row[1], row[2], row[3]};
}

std::vector<Entry> entries_of(const std::vector<Row>& rows) {
  std::vector<Entry> entries;
  entries.reserve(rows.size());
  for (const Row& row : rows) {
    entries.push_back({std::stoll(row[0]), row[1], row[2], row[3], row[4], std::stoll(row[5]),
                       std::stoll(row[6])});
  }
  return entries;
}

std::optional<Entry> first_of(std::vector<Entry> entries) {
  if (entries.empty()) return {};
  return std::move(entries[0]);
}

}  // namespace

bool has_author(Connection& connection) {
  return !connection.query("SELECT id FROM authors LIMIT 1").empty();
}

std::optional<Author> find_author(Connection& connection, const std::string& email) {
  return author_of(connection.query(
      "SELECT id, email, name, password_hash FROM authors WHERE email = $1", {email}));
}

std::optional<Author> author_with_id(Connection& connection, std::int64_t id) {
  return author_of(connection.query(
      "SELECT id, email, name, password_hash FROM authors WHERE id = $1", {std::to_string(id)}));
}

Author add_author(Connection& connection, const std::string& email, const std::string& name,
                  const std::string& password_hash) {
  const auto rows = connection.query(
      "INSERT INTO authors (email, name, password_hash) VALUES ($1, $2, $3) RETURNING id",
      {email, name, password_hash});
  return {std::stoll(rows.at(0).at(0)), email, name, password_hash};
}

std::vector<Entry> newest_entries(Connection& connection, int most) {
  return entries_of(
      connection.query("SELECT e.id, slug, title, text, name, published, updated"
                       " FROM entries e JOIN authors a ON a.id = author_id"
                       " ORDER BY published DESC, e.id DESC LIMIT CAST($1 AS INTEGER)",
                       {std::to_string(most)}));
}

std::optional<Entry> entry_with_slug(Connection& connection, const std::string& slug) {
  return first_of(entries_of(
      connection.query("SELECT e.id, slug, title, text, name, published, updated"
                       " FROM entries e JOIN authors a ON a.id = author_id WHERE slug = $1",
                       {slug})));
}

std::optional<Entry> entry_with_id(Connection& connection, std::int64_t id) {
  return first_of(entries_of(
      connection.query("SELECT e.id, slug, title, text, name, published, updated"
                       " FROM entries e JOIN authors a ON a.id = author_id WHERE e.id = $1",
                       {std::to_string(id)})));
}

std::string add_entry(Connection& connection, std::int64_t author, const std::string& title,
                      const std::string& text) {
  const std::string wanted = slug_of(title);
  const std::string time = now();
  std::string slug = wanted;
  for (int number = 2;; ++number) {
    try {
      connection.query(
          "INSERT INTO entries (author_id, slug, title, text, published, updated)"
          " VALUES ($1, $2, $3, $4, $5, $5)",
          {std::to_string(author), slug, title, text, time});
      return slug;
    } catch (const AlreadyThere&) {
      if (number == 1000) throw;
      slug = wanted + "-" + std::to_string(number);
    }
  }
}

std::optional<std::string> change_entry(Connection& connection, std::int64_t id,
                                        const std::string& title, const std::string& text) {
  const auto rows = connection.query(
      "UPDATE entries SET title = $1, text = $2, updated = $3 WHERE id = $4 RETURNING slug",
      {title, text, now(), std::to_string(id)});
  if (rows.empty()) return {};
  return rows[0][0];
}

std::string cookie_secret(Connection& connection) {
  std::random_device random;  // the system's, fit for keys
  std::string fresh;
  for (int i = 0; i < 64; ++i) fresh += "0123456789abcdef"[random() & 15];
  connection.query(
      "INSERT INTO secrets (name, value) VALUES ('cookies', $1) ON CONFLICT DO NOTHING", {fresh});
  return connection.query("SELECT value FROM secrets WHERE name = 'cookies'").at(0).at(0);
}
