// SPDX-License-Identifier: Apache-2.0
//
// Takes uploads of any size, and shows how far they are: `./dev run upload`, then the page on
// http://localhost:8888, or `curl -F file=@photo.jpg localhost:8888/save`.
//
//   POST /save?id=ID      a form with files, which go to the disk as they come: memory does not
//                         grow with them. Answers {"files": [{"name", "size", "sha256"}]}
//   GET  /progress/ID     what the server has of that upload, as a stream of events; any text of
//                         letters and digits is an id, that the page makes up
//   GET  /files           {"max_bytes": ..., "files": [...]}: what was kept last
//   GET  /files/NAME      the file
//
// Errors are {"error": "a sentence"}, with 413 for what is too large.
#include "incoming_file.hpp"
#include "options.hpp"
#include "safe_name.hpp"
#include "uploads.hpp"

#include <squall/json.hpp>
#include <squall/web.hpp>
#include <squall/web/multipart_reader.hpp>
#include <squall/web/security_headers.hpp>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <limits>

using namespace squall;

constexpr std::uint64_t form_bytes = 64 * 1024;  // a form's bytes beside its files
constexpr Duration between_events = Duration::from_milliseconds(100);
constexpr int max_silent_events = 100;  // for an upload that never begins

/// What all handlers share.
struct Site {
  std::string directory;
  std::uint64_t max_bytes;
  Uploads uploads{};
};

std::string checked_id(std::string id) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
  };
  if (id.size() > 64 || !std::all_of(id.begin(), id.end(), is_plain)) throw web::HTTPError(400);
  return id;
}

json::object described(const KeptFile& file) {
  return {{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}};
}

class Save : public web::RequestHandler {
 public:
  static constexpr bool stream_request_body = true;

  explicit Save(Site& site) : site_(site) {}
  ~Save() override {  // also of one whose client has left
    if (progress_ != nullptr && !id_.empty()) site_.uploads.end(id_);
  }

  Task<> prepare() override {
    // What is too large is refused by this handler, here and in post(), to be refused in its words.
    const std::string length(request().header("Content-Length"));
    if (std::strtoull(length.c_str(), nullptr, 10) > max_form_bytes()) throw web::HTTPError(413);
    set_max_body_size(std::numeric_limits<std::int64_t>::max());
    id_ = checked_id(get_query_argument("id", {}));
    progress_ = id_.empty() ? &unseen_ : site_.uploads.begin(id_);
    if (progress_ == nullptr) throw web::HTTPError(409);
    return {};
  }

  Task<> post() {
    web::MultipartReader form(request(), {.max_bytes = max_form_bytes()});
    json::array kept;
    for (;;) {
      web::MultipartPart* const part = co_await form.next_part();
      if (part == nullptr) break;
      if (!part->has_filename() || part->filename().empty()) continue;
      KeptFile file = co_await take(part);
      kept.push_back(described(file));
      site_.uploads.add(std::move(file));
    }
    if (kept.empty()) throw web::HTTPError(400);
    write(json::object{{"files", std::move(kept)}});
  }

  void write_error(int status, std::exception_ptr error) override {
    std::string text = "The server said " + std::to_string(status) + ".";
    if (status == 400 || status == 415) text = "That is no form with a file.";
    if (status == 409) text = "An upload of that id is under way.";
    if (status == 413) {
      text =
          "That is too large: at most " + format_option(ByteCount{site_.max_bytes}) + " are taken.";
    }
    if (status == 500 && is_full_disk(error)) text = "The server has no room left.";
    set_header("Cache-Control", "no-store");
    write(json::object{{"error", text}});
  }

 private:
  [[nodiscard]] std::uint64_t max_form_bytes() const { return site_.max_bytes + form_bytes; }

  Task<KeptFile> take(web::MultipartPart* part) {
    std::string name = safe_name(part->filename());
    IncomingFile file(site_.directory);
    const std::uint64_t written_before = progress_->written;
    std::uint64_t size = 0;
    for (;;) {
      const std::string_view piece = co_await part->read();
      if (piece.empty()) break;
      size += piece.size();
      if (size > site_.max_bytes) throw web::HTTPError(413);
      progress_->received += piece.size();
      co_await file.write(piece);
      progress_->written = written_before + file.written();
    }
    co_return co_await file.keep(std::move(name));
  }

  static bool is_full_disk(const std::exception_ptr& error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::system_error& failure) {
      return failure.code() == std::errc::no_space_on_device;
    } catch (...) {  // NOLINT: any other is not
    }
    return false;
  }

  Site& site_;
  std::string id_;
  Progress unseen_;
  Progress* progress_ = nullptr;
};

/// Events with {"received", "written"} while the upload is under way, then one called `end`.
struct Watch : web::EventSourceHandler {
  explicit Watch(Site& site) : site_(site) {}

  Task<> open(std::string id) {
    bool has_begun = false;
    for (int silent = 0; silent < max_silent_events; ++silent) {
      const Progress* const progress = site_.uploads.find(id);
      if (progress == nullptr && has_begun) break;
      if (progress != nullptr) {
        has_begun = true;
        silent = 0;
        send_event(json::serialize(
            json::object{{"received", progress->received}, {"written", progress->written}}));
      }
      co_await sleep(between_events);
    }
    send_event({.event = "end"});
    close();
  }

 private:
  Site& site_;
};

struct Files : web::RequestHandler {
  explicit Files(Site& site) : site_(site) {}

  void get() {
    json::array files;
    for (const KeptFile& file : site_.uploads.kept()) files.push_back(described(file));
    set_header("Cache-Control", "no-store");
    write(json::object{{"max_bytes", site_.max_bytes}, {"files", std::move(files)}});
  }

 private:
  Site& site_;
};

/// A stranger's file: never shown as a page of this site.
struct Download : web::StaticFileHandler {
  using StaticFileHandler::StaticFileHandler;
  void set_extra_headers(std::string_view) override {
    set_header("Content-Disposition", "attachment");
    set_header("Content-Security-Policy", "sandbox");
  }
};

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  Site site{options.directory, options.max_bytes};
  web::Application app(
      {
          {"/save", web::handler<Save>(std::ref(site))},
          {"/progress/{id}", web::handler<Watch>(std::ref(site))},
          {"/files", web::handler<Files>(std::ref(site))},
          {"/files/{path...}", web::handler<Download>(options.directory)},
          {"/{path...}", web::handler<web::StaticFileHandler>(UPLOAD_PUBLIC_DIR, "index.html")},
      },
      {.xsrf_check_origin = true});
  app.use(web::security_headers(
      {.content_security_policy = "default-src 'self'; frame-ancestors 'none'"}));
  try {
    const unsigned port = app.listen(options.port);
    std::printf("Send files to http://localhost:%u\n", port);
    std::fflush(stdout);
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "upload: %s\n", error.what());
    return 1;
  }
  IOLoop::current().start();
}
