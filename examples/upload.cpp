// SPDX-License-Identifier: Apache-2.0
// Takes uploads. Try the form at http://localhost:8888/, `curl -F file=@photo.jpg
// localhost:8888/save`, and, for what never is in memory or on disk as a whole, `curl -F
// file=@disk.img localhost:8888/measure`.
#include <squall/options.hpp>
#include <squall/web.hpp>
#include <squall/web/multipart_reader.hpp>

#include <cstdio>
#include <string>

using namespace squall;

struct Page : web::RequestHandler {
  void get() {
    write(
        "<!doctype html><title>Upload</title><h1>Upload</h1>"
        "<form method=post action=/save enctype=multipart/form-data>"
        "<input name=file type=file multiple> <input name=note placeholder=Note> "
        "<button>Send</button></form>");
  }
};

// Keeps each file in a directory, under a name of our own: a client's may hold "../".
struct Save : web::RequestHandler {
  explicit Save(std::string directory) : directory_(std::move(directory)) {}

  Task<> post() {
    static int count = 0;
    set_header("Content-Type", "text/plain; charset=utf-8");
    for (const web::HTTPFile* file : files("file")) {
      const std::string path = directory_ + "/upload-" + std::to_string(++count);
      co_await file->save_to(path);
      write("saved " + file->filename + " (" + std::to_string(file->size()) + " bytes)\n");
    }
    write("note: " + get_argument("note", "none") + "\n");
  }

 private:
  std::string directory_;
};

// Reads a form as it comes, however large it is.
struct Measure : web::RequestHandler {
  static constexpr bool stream_request_body = true;

  Task<> post() {
    set_header("Content-Type", "text/plain; charset=utf-8");
    web::MultipartReader form(request());
    for (;;) {
      web::MultipartPart* const part = co_await form.next_part();
      if (part == nullptr) break;
      std::size_t size = 0;
      for (;;) {
        const std::string_view piece = co_await part->read();
        if (piece.empty()) break;
        size += piece.size();
      }
      write(part->name() + ": " + std::to_string(size) + " bytes\n");
    }
  }
};

int main(int argc, char** argv) {
  OptionParser parser({.description = "Takes uploads."});
  const auto port = parser.argument<std::uint16_t>("port", 8888, "listen on this port");
  const auto directory = parser.argument("directory", "/tmp", "keep files here");
  parser.parse_command_line_or_exit(argc, argv);
  web::Application app({
      {"/", web::handler<Page>},
      {"/save", web::handler<Save>(*directory)},
      {"/measure", web::handler<Measure>},
  });
  std::printf("listening on %d\n", app.listen(*port));
  std::fflush(stdout);
  IOLoop::current().start();
}
