// SPDX-License-Identifier: Apache-2.0
#include "site.hpp"

#include "text.hpp"

#include <charconv>

using namespace squall;

namespace {
constexpr std::string_view cookie = "blog_author";
}

void Page::set_default_headers() {
  set_header("Cache-Control", "private, no-cache");  // pages have a user's name and tokens
}

Task<> Page::load_current_user() {
  const OptionalString value = get_signed_cookie(cookie);
  if (!value) co_return;
  std::int64_t id = 0;
  std::from_chars(value->data(), value->data() + value->size(), id);
  std::optional<Author> known = co_await ask(&author_with_id, id);
  if (known) set_current_user(known->name, std::move(*known));
}

void Page::log_in(const Author& author) {
  set_signed_cookie(
      cookie, std::to_string(author.id),
      {.secure = request().protocol() == "https", .httponly = true, .samesite = "Lax"});
  redirect(get_next_url("/"), false, 303);
}

void Page::log_out() {
  clear_cookie(cookie);
  redirect("/", false, 303);
}

void Page::show(std::string_view title, std::string_view body) {
  const Author* const user = author();
  const std::string token = user != nullptr ? xsrf_form_html() : "";
  const std::string style = static_url("style.css");
  write(page({site_.title, style, user != nullptr ? user->name : "", token}, title, body));
}

void Page::write_error(int status, std::exception_ptr /*error*/) {
  std::string text = "Something went wrong.";
  if (status == 403) text = "That form was not sent from this site's page, or you may not do that.";
  if (status == 404) text = "There is no such page.";
  if (status == 429) text = "Too many tries. Wait a minute, please.";
  if (status == 503) text = "The database does not answer. Try again in a while, please.";
  const std::string title = std::to_string(status);
  write(page({site_.title, "/static/style.css", "", ""}, title,
             "<h1>" + title + "</h1>\n<p>" + escaped(text) + "</p>\n"));
}

std::string Page::article(const Entry& entry) {
  const std::string edit = author() != nullptr ? "/compose?id=" + std::to_string(entry.id) : "";
  return entry_article(entry, url_of(entry), edit);
}
