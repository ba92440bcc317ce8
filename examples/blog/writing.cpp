// SPDX-License-Identifier: Apache-2.0
#include "writing.hpp"

#include <squall/web/password.hpp>

#include <algorithm>
#include <charconv>

using namespace squall;

namespace {

constexpr std::size_t max_title_bytes = 200, max_text_bytes = 200'000;
constexpr std::size_t max_name_bytes = 100, max_email_bytes = 254, min_password_bytes = 8;

/// 0 for a text that is no id.
std::int64_t id_of(const std::string& text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() ? id : 0;
}

std::string_view wrong_with_entry(const std::string& title, const std::string& text) {
  if (title.empty() || title.size() > max_title_bytes) return "A title has 1 to 200 characters.";
  if (text.empty() || text.size() > max_text_bytes) return "A text has 1 to 200,000 characters.";
  return {};
}

std::string_view wrong_with_author(const std::string& name, const std::string& email,
                                   const std::string& password, const std::string& wanted) {
  if (name.empty() || name.size() > max_name_bytes) return "A name has 1 to 100 characters.";
  const std::size_t at = email.find('@');
  if (at == 0 || at == std::string::npos || at + 1 == email.size() ||
      email.size() > max_email_bytes) {
    return "That is no address of a mailbox.";
  }
  if (!wanted.empty() && email != wanted) return "That is not the author's address.";
  if (password.size() < min_password_bytes) return "A password has 8 characters or more.";
  return {};
}

}  // namespace

Task<> Compose::get() {
  const std::string id = get_query_argument("id", {});
  if (id.empty()) {
    show("New entry", compose_form(xsrf_form_html(), {}, {}, {}, {}));
    co_return;
  }
  const std::optional<Entry> entry = co_await ask(&entry_with_id, id_of(id));
  if (!entry) throw web::HTTPError(404);
  show("Edit", compose_form(xsrf_form_html(), id, entry->title, entry->text, {}));
}

Task<> Compose::post() {
  const std::string id = get_body_argument("id", {});
  const std::string title = get_body_argument("title", {});
  const std::string text = get_body_argument("text", {});
  const std::string_view problem = wrong_with_entry(title, text);
  if (!problem.empty()) {
    set_status(400);
    show("Not published", compose_form(xsrf_form_html(), id, title, text, problem));
    co_return;
  }
  std::string slug;
  if (id.empty()) {
    slug = co_await ask(&add_entry, author()->id, title, text);
  } else {
    const std::optional<std::string> changed = co_await ask(&change_entry, id_of(id), title, text);
    if (!changed) throw web::HTTPError(404);
    slug = *changed;
  }
  redirect(reverse_url("entry", slug), false, 303);
}

Task<> CreateAuthor::get() {
  const bool is_done = co_await ask(&has_author);
  if (is_done) {
    redirect("/auth/login");
    co_return;
  }
  show("The author", author_form(xsrf_form_html(), site().author, {}, {}));
}

Task<> CreateAuthor::post() {
  const std::string name = get_body_argument("name", {});
  const std::string email = get_body_argument("email", {});
  const std::string password = get_body_argument("password", {}, web::Strip::no);
  std::string_view problem = wrong_with_author(name, email, password, site().author);
  const bool is_done = co_await ask(&has_author);  // before the work of hashing
  if (is_done) problem = "There is an author already.";
  if (problem.empty()) {
    std::string hash = co_await web::hash_password(password);
    try {
      const Author created = co_await ask(&add_author, email, name, std::move(hash));
      log_in(created);
      co_return;
    } catch (const AlreadyThere&) {
      problem = "There is an author already.";
    }
  }
  set_status(400);
  show("The author", author_form(xsrf_form_html(), email, name, problem));
}

void Login::get() { show("Log in", login_form(xsrf_form_html(), {}, {})); }

Task<> Login::post() {
  const std::string email = get_body_argument("email", {});
  const std::string password = get_body_argument("password", {}, web::Strip::no);
  const std::optional<Author> known = co_await ask(&find_author, email);
  const std::string hash = known ? known->password_hash : "";  // "" takes as long
  const bool is_right = co_await web::verify_password(password, hash);
  if (!is_right) {
    set_status(403);
    show("Log in", login_form(xsrf_form_html(), email, "Email or password is wrong."));
    co_return;
  }
  log_in(*known);
}
