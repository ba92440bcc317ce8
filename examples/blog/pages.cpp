// SPDX-License-Identifier: Apache-2.0
#include "pages.hpp"

#include "text.hpp"

#include <algorithm>

namespace {

std::string& operator+=(std::string& text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string alert(std::string_view problem) {
  if (problem.empty()) return {};
  return "<p class=\"problem\" role=\"alert\">" + escaped(problem) + "</p>\n";
}

std::string time_element(std::int64_t time) {
  return "<time datetime=\"" + timestamp(time) + "\">" + date_in_words(time) + "</time>";
}

}  // namespace

std::string page(const Frame& frame, std::string_view title, std::string_view body) {
  const std::string blog = escaped(frame.blog);
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
  if (!title.empty()) html += {escaped(title), " · "};
  html += {blog,
           "</title>\n<link rel=\"stylesheet\" href=\"",
           escaped(frame.style_url),
           "\">\n<link rel=\"icon\" href=\"/static/favicon.svg\">\n",
           "<link rel=\"alternate\" type=\"application/atom+xml\" href=\"/feed\" title=\"",
           blog,
           "\">\n</head>\n<body>\n<header>\n<a class=\"blog\" href=\"/\">",
           blog,
           "</a>\n<nav>\n<a href=\"/archive\">Archive</a>\n<a href=\"/feed\">Feed</a>\n"};
  if (!frame.user.empty()) {
    html += {"<a href=\"/compose\">New entry</a>\n<form method=\"post\" action=\"/auth/logout\">",
             frame.token, "<button class=\"link\">Log out</button></form>\n"};
  } else {
    html += "<a href=\"/auth/login\">Log in</a>\n";
  }
  html += {"</nav>\n</header>\n<main>\n", body, "</main>\n</body>\n</html>\n"};
  return html;
}

std::string entry_article(const Entry& entry, std::string_view url, std::string_view edit_url) {
  std::string html = "<article>\n<h1>";
  html += {"<a href=\"",
           escaped(url),
           "\">",
           escaped(entry.title),
           "</a></h1>\n<p class=\"when\">",
           time_element(entry.published),
           " by ",
           escaped(entry.author)};
  if (!edit_url.empty()) html += {" · <a href=\"", escaped(edit_url), "\">Edit</a>"};
  html += {"</p>\n", paragraphs(entry.text), "</article>\n"};
  return html;
}

std::string archive_line(const Entry& entry, std::string_view url) {
  return "<li>" + time_element(entry.published) + " <a href=\"" + escaped(url) + "\">" +
         escaped(entry.title) + "</a></li>\n";
}

std::string compose_form(std::string_view token, std::string_view id, std::string_view title,
                         std::string_view text, std::string_view problem) {
  std::string html = id.empty() ? "<h1>New entry</h1>\n" : "<h1>Edit</h1>\n";
  html += alert(problem);
  html += {"<form class=\"fields\" method=\"post\" action=\"/compose\">",
           token,
           "<input type=\"hidden\" name=\"id\" value=\"",
           escaped(id),
           "\">\n<label>Title <input name=\"title\" maxlength=\"200\" required value=\"",
           escaped(title),
           "\"></label>\n<label>Text <textarea name=\"text\" rows=\"16\" required>\n",
           escaped(text),
           "</textarea></label>\n<p class=\"when\">An empty line begins a new paragraph.</p>\n",
           "<button>Publish</button>\n</form>\n"};
  return html;
}

std::string author_form(std::string_view token, std::string_view email, std::string_view name,
                        std::string_view problem) {
  std::string html = "<h1>Who writes here?</h1>\n";
  html += alert(problem);
  html += {"<form class=\"fields\" method=\"post\">",
           token,
           "<label>Name <input name=\"name\" autocomplete=\"name\" required value=\"",
           escaped(name),
           "\"></label>\n<label>Email <input name=\"email\" type=\"email\" ",
           "autocomplete=\"username\" required value=\"",
           escaped(email),
           "\"></label>\n<label>Password <input name=\"password\" type=\"password\" ",
           "autocomplete=\"new-password\" minlength=\"8\" required></label>\n",
           "<button>Create the author</button>\n</form>\n"};
  return html;
}

std::string login_form(std::string_view token, std::string_view email, std::string_view problem) {
  std::string html = "<h1>Log in</h1>\n";
  html += alert(problem);
  html += {"<form class=\"fields\" method=\"post\">",
           token,
           "<label>Email <input name=\"email\" type=\"email\" autocomplete=\"username\" required ",
           "value=\"",
           escaped(email),
           "\"></label>\n<label>Password <input name=\"password\" type=\"password\" ",
           "autocomplete=\"current-password\" required></label>\n<button>Log in</button>\n",
           "</form>\n"};
  return html;
}

std::string atom_feed(std::string_view blog, std::string_view site,
                      const std::vector<FeedEntry>& entries) {
  std::int64_t updated = 0;
  for (const FeedEntry& one : entries) updated = std::max(updated, one.entry.updated);
  const std::string home = escaped(site) + "/";
  std::string xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
  xml += {"<feed xmlns=\"http://www.w3.org/2005/Atom\">\n<title>",
          escaped(blog),
          "</title>\n<id>",
          home,
          "</id>\n<link href=\"",
          home,
          "\"/>\n<link rel=\"self\" href=\"",
          home,
          "feed\"/>\n<updated>",
          timestamp(updated),
          "</updated>\n"};
  for (const auto& [entry, url] : entries) {
    xml += {"<entry>\n<title>",
            escaped(entry.title),
            "</title>\n<id>",
            escaped(url),
            "</id>\n<link href=\"",
            escaped(url),
            "\"/>\n<published>",
            timestamp(entry.published),
            "</published>\n<updated>",
            timestamp(entry.updated),
            "</updated>\n<author><name>",
            escaped(entry.author),
            "</name></author>\n<content type=\"html\">",
            escaped(paragraphs(entry.text)),
            "</content>\n</entry>\n"};
  }
  return xml + "</feed>\n";
}
