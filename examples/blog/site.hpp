// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database_pool.hpp"
#include "pages.hpp"
#include "store.hpp"

#include <squall/web.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

/// What all handlers share.
struct Site {
  DatabasePool& database;
  std::string title;
  std::string author;  // see Options
  std::string url;
};

/// Base of all pages: who is logged in, the frame around a page, and the database.
class Page : public squall::web::RequestHandler {
 public:
  explicit Page(Site& site) : site_(site) {}

  void set_default_headers() override;
  /// By the signed cookie; an author who is no longer in the database is nobody.
  squall::Task<> load_current_user() override;
  void write_error(int status, std::exception_ptr error) override;

 protected:
  [[nodiscard]] Site& site() const noexcept { return site_; }
  /// nullptr for a reader.
  [[nodiscard]] const Author* author() { return current_user_as<Author>(); }

  void show(std::string_view title, std::string_view body);
  void log_in(const Author& author);
  void log_out();

  [[nodiscard]] std::string url_of(const Entry& entry) const {
    return reverse_url("entry", entry.slug);
  }
  /// The entry with its link, and for its author the one to edit it.
  std::string article(const Entry& entry);

  /// Calls `function(connection, args...)` where it may block. The answer is 503 where the
  /// database cannot; AlreadyThere is the handler's to deal with.
  template <class F, class... Args>
  auto ask(F function, Args... args)
      -> squall::Task<std::invoke_result_t<F, Connection&, const Args&...>> {
    try {
      co_return co_await site_.database.run(function, std::move(args)...);
    } catch (const AlreadyThere&) {
      throw;
    } catch (const DatabaseError& error) {
      throw squall::web::HTTPError(503, error.what());
    }
  }

 private:
  Site& site_;
};
