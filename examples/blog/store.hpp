// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What the blog asks of its database. All of it blocks: see DatabasePool.

struct Author {
  std::int64_t id = 0;
  std::string email, name, password_hash;
};

struct Entry {
  std::int64_t id = 0;
  std::string slug;  // its name in URLs, which never changes
  std::string title, text, author;
  std::int64_t published = 0, updated = 0;  // seconds since 1970
};

bool has_author(Connection& connection);
std::optional<Author> find_author(Connection& connection, const std::string& email);
std::optional<Author> author_with_id(Connection& connection, std::int64_t id);
/// The first and only one; AlreadyThere when somebody was quicker.
Author add_author(Connection& connection, const std::string& email, const std::string& name,
                  const std::string& password_hash);

/// The newest first.
std::vector<Entry> newest_entries(Connection& connection, int most);
std::optional<Entry> entry_with_slug(Connection& connection, const std::string& slug);
std::optional<Entry> entry_with_id(Connection& connection, std::int64_t id);
/// Both give the entry's slug, nothing when there is no such entry.
std::string add_entry(Connection& connection, std::int64_t author, const std::string& title,
                      const std::string& text);
std::optional<std::string> change_entry(Connection& connection, std::int64_t id,
                                        const std::string& title, const std::string& text);

/// What cookies are signed with: made once, at random, and kept, so that its author stays logged
/// in when the blog is started again.
std::string cookie_secret(Connection& connection);
