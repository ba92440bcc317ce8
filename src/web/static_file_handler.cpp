// SPDX-License-Identifier: Apache-2.0
#include "http/date.hpp"
#include "http/mime.hpp"
#include "http/preconditions.hpp"
#include "web/exchange.hpp"

#include <squall/base/result.hpp>
#include <squall/loop/unique_fd.hpp>
#include <squall/web/static_file_handler.hpp>

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace squall::web {
namespace {

/// Opens `path` below `root`, wherever its symbolic links and dots lead: the kernel refuses what
/// leaves the root.
Result<UniqueFd> open_beneath(const std::string& root, const std::string& path,
                              struct stat& status) {
  const UniqueFd directory(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return std::error_code(errno, std::generic_category());
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // not to wait for a writer of a FIFO
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  UniqueFd file(
      static_cast<int>(::syscall(SYS_openat2, directory.get(), path.c_str(), &how, sizeof how)));
  if (!file || ::fstat(file.get(), &status) != 0) {
    return std::error_code(errno, std::generic_category());
  }
  return file;
}

[[noreturn]] void refuse(std::error_code error) {
  switch (error.value()) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV:  // it leads out of the root
      throw HTTPError(404);
    case EACCES:
      throw HTTPError(403);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      throw HTTPError(503, "cannot open a file: " + error.message());
    default:
      throw HTTPError(500, "cannot open a file: " + error.message());
  }
}

std::string hex(std::uint64_t number) {
  char text[16];
  return {text, std::to_chars(text, text + sizeof text, number, 16).ptr};
}

// Two changes within a clock tick that leave the size alone would share it; nginx lives with that
// too.
std::string etag_of(const struct stat& file) {
  const std::uint64_t modified = static_cast<std::uint64_t>(file.st_mtim.tv_sec) * 1'000'000'000 +
                                 static_cast<std::uint64_t>(file.st_mtim.tv_nsec);
  std::string etag;
  etag.append(1, '"').append(hex(modified)).append(1, '-');
  etag.append(hex(static_cast<std::uint64_t>(file.st_size))).append(1, '"');
  return etag;
}

bool is_unchanged(const http::RequestHead& head, std::string_view etag, std::int64_t modified) {
  const http::Validators current{.etag = etag, .last_modified = modified};
  return http::evaluate_preconditions(head, current, ::time(nullptr)) ==
         http::Precondition::not_modified;
}

}  // namespace

StaticFileHandler::StaticFileHandler(std::string_view root, std::string_view default_filename)
    : root_(root), default_filename_(default_filename) {}

void StaticFileHandler::get(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) throw HTTPError(404);
  while (path.starts_with('/')) path.remove_prefix(1);
  std::string name(path);
  if (name.empty()) name = ".";
  struct stat status {};
  Result<UniqueFd> file = open_beneath(root_, name, status);
  if (file && S_ISDIR(status.st_mode)) {
    if (default_filename_.empty()) throw HTTPError(404);
    if (!request().path().ends_with('/')) {
      // So that the page's relative links resolve; "//host" would lead elsewhere.
      std::string target(request().path());
      target.erase(0, target.find_first_not_of('/') - 1);
      target += '/';
      if (!request().query().empty()) target.append(1, '?').append(request().query());
      redirect(target, true);
      return;
    }
    name += '/';
    name += default_filename_;
    file = open_beneath(root_, name, status);
  }
  if (!file) refuse(file.error());
  if (!S_ISREG(status.st_mode)) throw HTTPError(404);
  const std::string etag = etag_of(status);
  char date[http::http_date_size];
  http::format_http_date(status.st_mtim.tv_sec, date);
  set_header("Etag", etag);
  set_header("Last-Modified", std::string_view(date, sizeof date));
  if (is_unchanged(exchange().head(), etag, status.st_mtim.tv_sec)) {
    set_status(304);
    finish();
    return;
  }
  set_header("Content-Type", http::mime_type(name));
  exchange().finish_with_file(std::move(*file), static_cast<std::size_t>(status.st_size));
}

}  // namespace squall::web
