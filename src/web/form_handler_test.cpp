// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/http_file.hpp>
#include <squall/web/request_handler.hpp>

#include <chrono>
#include <string>

namespace squall::web {
namespace {

using namespace std::chrono_literals;

class FormHandlerTest : public WebTest {};

constexpr std::string_view type = "Content-Type: multipart/form-data; boundary=\"X Y\"\r\n";
const std::string form =
    "--X Y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n one\x01 \r\n"
    "--X Y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ntwo\r\n"
    "--X Y\r\nContent-Disposition: form-data; name=\"f\"; filename=\"1.txt\"\r\n"
    "Content-Type: text/plain\r\n\r\nfirst\r\n"
    "--X Y\r\nContent-Disposition: form-data; name=\"g\"; filename=\"2\"\r\n\r\nother\r\n"
    "--X Y\r\nContent-Disposition: form-data; name=\"f\"; filename=\"3\"\r\n\r\n\r\n"
    "--X Y\r\nContent-Disposition: form-data; name=\"empty\"; filename=\"\"\r\n\r\n\r\n"
    "--X Y--\r\n";

struct Upload : RequestHandler {
  void post() { tell(); }
  Task<> put() {
    co_await sleep(1ms);
    tell();
  }
  void tell() {
    for (const std::string& value : get_arguments("a")) write(value + ",");
    write(get_argument("empty", "none") + "|");
    for (const HTTPFile* file : files("f")) tell(*file);
    write("of " + std::to_string(request().files().size()));
  }
  void tell(const HTTPFile& file) {
    write(file.filename + " " + file.content_type + " " + std::string(file.body()) + "|");
  }
};

TEST_F(FormHandlerTest, MultipartFormsGiveArgumentsAndFiles) {
  Application app({{"/", handler<Upload>}});
  const std::string want = "one,two,|1.txt text/plain first|3 application/unknown |of 3";
  EXPECT_EQ(body_of(request(app, "POST /", type, form)), want);
  EXPECT_EQ(body_of(request(app, "PUT /", type, form)), want);
}

// The body lies in the receive buffer until the handler turns out to wait.
struct AsksInPrepare : RequestHandler {
  Task<> prepare() override {
    file_ = files("f").at(0);
    return wait();
  }
  static Task<> wait() { co_await sleep(1ms); }
  void post() { write(file_->body()); }
  HTTPFile* file_ = nullptr;
};

TEST_F(FormHandlerTest, FilesStayWhenTheRequestMoves) {
  Application app({{"/", handler<AsksInPrepare>}});
  EXPECT_EQ(body_of(request(app, "POST /", type, form)), "first");
}

TEST_F(FormHandlerTest, OtherBodiesHaveNoFiles) {
  Application app({{"/", handler<Upload>}});
  EXPECT_EQ(body_of(request(app, "POST /", "Content-Type: application/x-www-form-urlencoded\r\n",
                            "a=1&empty=2")),
            "1,2|of 0");
  EXPECT_EQ(body_of(request(app, "POST /", "Content-Type: text/plain\r\n", "a=1")), "none|of 0");
}

TEST_F(FormHandlerTest, MalformedFormsAre400AndLargeOnes413) {
  Application app({{"/", handler<Upload>}});
  const auto status = [&](std::string_view fields, const std::string& body) {
    return status_of(request(app, "POST /", fields, body)).substr(9, 3);
  };
  EXPECT_EQ(status(type, form.substr(0, form.size() - 6)), "400");
  EXPECT_EQ(status("Content-Type: multipart/form-data\r\n", form), "400");
  EXPECT_EQ(status(type, "--X Y\r\n\r\nno head\r\n--X Y--"), "400");
  EXPECT_EQ(status(std::string(type) + "Content-Encoding: gzip\r\n", form), "415");
  std::string many;
  for (int i = 0; i < 101; ++i) {
    many += "--X Y\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
  }
  EXPECT_EQ(status(type, many + "--X Y--"), "413");
}

struct KeepsFile : RequestHandler {
  static inline HTTPFile kept;
  void post() { kept = std::move(request().files().at(0)); }
};

TEST_F(FormHandlerTest, AFileMayBeMovedOutAndOutliveTheRequest) {
  Application app({{"/", handler<KeepsFile>}});
  EXPECT_EQ(status_of(request(app, "POST /", type, form)), "HTTP/1.1 200 OK");
  EXPECT_EQ(KeepsFile::kept.body(), "first");
  KeepsFile::kept = {};
}

}  // namespace
}  // namespace squall::web
