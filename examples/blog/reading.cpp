// SPDX-License-Identifier: Apache-2.0
#include "reading.hpp"

using namespace squall;

namespace {
constexpr int entries_of_home = 5, entries_of_feed = 20, entries_of_archive = 1000;
}

Task<> Home::get() {
  const std::vector<Entry> entries = co_await ask(&newest_entries, entries_of_home);
  std::string body;
  for (const Entry& entry : entries) body += article(entry);
  if (entries.empty()) {
    body = "<h1>Nothing here yet</h1>\n<p>The first entry is still to be written.</p>\n";
    const bool is_new = !co_await ask(&has_author);
    if (is_new) body += "<p><a href=\"/auth/create\">Create the author</a></p>\n";
  }
  show("", body);
}

Task<> EntryPage::get(std::string slug) {
  if (slug.find('\0') != std::string::npos) throw web::HTTPError(404);  // no text has one
  const std::optional<Entry> entry = co_await ask(&entry_with_slug, slug);
  if (!entry) throw web::HTTPError(404);
  show(entry->title, article(*entry));
}

Task<> Archive::get() {
  const std::vector<Entry> entries = co_await ask(&newest_entries, entries_of_archive);
  std::string body = "<h1>Archive</h1>\n<ul class=\"archive\">\n";
  for (const Entry& entry : entries) body += archive_line(entry, url_of(entry));
  show("Archive", body + "</ul>\n");
}

Task<> Feed::get() {
  std::vector<Entry> entries = co_await ask(&newest_entries, entries_of_feed);
  std::string base = site().url;
  if (base.empty()) base.append(request().protocol()).append("://").append(request().host());
  std::vector<FeedEntry> feed;
  for (Entry& entry : entries) {
    std::string url = base + url_of(entry);
    feed.push_back({std::move(entry), std::move(url)});
  }
  set_header("Content-Type", "application/atom+xml; charset=utf-8");
  set_header("Cache-Control", "no-cache");
  write(atom_feed(site().title, base, feed));
  set_etag_header();  // a reader that has it gets 304
}
