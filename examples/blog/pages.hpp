// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "store.hpp"

#include <string>
#include <string_view>
#include <vector>

// The blog's pages as HTML. Everything that somebody has typed is escaped here, and only here.

/// What surrounds each page.
struct Frame {
  std::string_view blog;       // its title
  std::string_view style_url;  // of the style sheet
  std::string_view user;       // who is logged in, "" for nobody
  std::string_view token;      // a hidden field for forms
};

std::string page(const Frame& frame, std::string_view title, std::string_view body);

/// An entry in full; `url` is its page, and `edit_url` is "" for who may not.
std::string entry_article(const Entry& entry, std::string_view url, std::string_view edit_url);
/// One line of the archive.
std::string archive_line(const Entry& entry, std::string_view url);

/// A field that is missing or wrong is said in `problem`, "" for none.
std::string compose_form(std::string_view token, std::string_view id, std::string_view title,
                         std::string_view text, std::string_view problem);
std::string author_form(std::string_view token, std::string_view email, std::string_view name,
                        std::string_view problem);
std::string login_form(std::string_view token, std::string_view email, std::string_view problem);

struct FeedEntry {
  Entry entry;
  std::string url;  // the whole of it
};
/// The newest entries in the Atom format (RFC 4287). `site` is the blog's address without a slash
/// at its end.
std::string atom_feed(std::string_view blog, std::string_view site,
                      const std::vector<FeedEntry>& entries);
