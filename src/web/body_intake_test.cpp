// SPDX-License-Identifier: Apache-2.0
#include "http/content_encoder.hpp"
#include "web/web_testing.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/http_file.hpp>
#include <squall/web/request_handler.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace squall::web {
namespace {

using namespace std::chrono_literals;
using http::ContentCoding;

/// What compresses well, but is no bomb.
std::string text(std::size_t size) {
  std::string out;
  for (int i = 0; out.size() < size; ++i) out += "line " + std::to_string(i) + " of many\n";
  out.resize(size);
  return out;
}

class BodyIntakeTest : public WebTest {
 protected:
  static std::string coded(ContentCoding coding, std::string_view text) {
    http::ContentEncoder encoder(coding);
    std::string out;
    encoder.write(text, out);
    encoder.finish(out);
    return out;
  }
  static std::string chunked(std::string_view body, std::size_t piece) {
    std::string out;
    for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", std::min(piece, body.size()));
      out += size;
      out.append(body.substr(0, piece)).append("\r\n");
    }
    return out + "0\r\n\r\n";
  }
};

struct Whole : RequestHandler {
  void post() { write(request().body()); }
};
struct Arguments : RequestHandler {
  void post() { write(get_body_argument("a")); }
};
struct Slowly : RequestHandler {
  static constexpr bool stream_request_body = true;
  Task<> prepare() override {
    const std::string most = get_query_argument("most", "");
    if (!most.empty()) set_max_body_size(std::stoull(most));
    return {};
  }
  Task<> post() {
    std::string all;
    std::size_t largest = 0;
    for (int i = 0;; ++i) {
      const std::string_view piece = co_await request().body().read();
      if (piece.empty()) break;
      largest = std::max(largest, piece.size());
      all += piece;
      if (i < 5) co_await sleep(1ms);
    }
    set_header("X-Largest", std::to_string(largest));
    write(all);
  }
};

TEST_F(BodyIntakeTest, CodedBodiesAreDecodedWhereThatIsWanted) {
  Application app({{"/", handler<Whole>}, {"/arguments", handler<Arguments>}},
                  {.decompress_request = true});
  const std::string plain = text(200'000);
  const std::pair<ContentCoding, std::string> codings[] = {
      {ContentCoding::gzip, "gzip"}, {ContentCoding::br, "br"}, {ContentCoding::zstd, "zstd"}};
  for (const auto& [coding, name] : codings) {
    SCOPED_TRACE(name);
    const std::string fields = "Content-Encoding: " + name + "\r\n";
    EXPECT_TRUE(body_of(request(app, "POST /", fields, coded(coding, plain))) == plain);
    EXPECT_EQ(body_of(request(app, "POST /arguments",
                              fields + "Content-Type: application/x-www-form-urlencoded\r\n",
                              coded(coding, "a=b"))),
              "b");
  }
  EXPECT_EQ(body_of(request(app, "POST /", "Content-Encoding: identity\r\n", "as it is")),
            "as it is");
}

TEST_F(BodyIntakeTest, WithoutThatTheyAreTheHandlers) {
  Application app({{"/", handler<Whole>}});
  const std::string bytes = coded(ContentCoding::gzip, "text");
  EXPECT_EQ(body_of(request(app, "POST /", "Content-Encoding: gzip\r\n", bytes)), bytes);
}

TEST_F(BodyIntakeTest, BadCodedBodiesGetTheirStatus) {
  Application app({{"/", handler<Whole>}, {"/slowly", handler<Slowly>}},
                  {.decompress_request = true, .max_body_size = 100'000});
  const std::string gzip = "Content-Encoding: gzip\r\n";
  const std::string good = coded(ContentCoding::gzip, text(1000));
  for (const std::string path : {"POST /", "POST /slowly"}) {
    SCOPED_TRACE(path);
    EXPECT_EQ(status_of(request(app, path, gzip, "this is no gzip")), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(status_of(request(app, path, gzip, good.substr(0, good.size() - 9))),
              "HTTP/1.1 400 Bad Request");
    const std::string answer = request(app, path, "Content-Encoding: compress\r\n", "x");
    EXPECT_EQ(status_of(answer), "HTTP/1.1 415 Unsupported Media Type");
    EXPECT_TRUE(has_line(answer, "Accept-Encoding: gzip, br, zstd, deflate")) << answer;
  }
  EXPECT_EQ(status_of(request(app, "POST /", gzip, coded(ContentCoding::gzip, text(100'001)))),
            "HTTP/1.1 413 Content Too Large")
      << "the limit is one of decoded bytes";
  EXPECT_EQ(status_of(request(app, "POST /slowly?most=50000", gzip,
                              coded(ContentCoding::gzip, text(50'001)))),
            "HTTP/1.1 413 Content Too Large");
}

TEST_F(BodyIntakeTest, ASlowReaderHoldsTheDecoderBack) {
  Application app({{"/", handler<Slowly>}}, {.decompress_request = true});
  const std::string plain = text(8'000'000);
  const std::string bytes = coded(ContentCoding::gzip, plain);
  ASSERT_GT(plain.size() / bytes.size(), 5U);
  const std::string answer = request(app, "POST /", "Content-Encoding: gzip\r\n", bytes);
  EXPECT_TRUE(body_of(answer) == plain) << status_of(answer);
  const std::size_t at = answer.find("X-Largest: ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_LT(std::stoul(answer.substr(at + 11)), 256U * 1024) << "it was decoded ahead";
}

struct LongForm : RequestHandler {
  Task<> post() {
    EXPECT_TRUE(request().body().empty());
    write(get_argument("a") + "|" + get_argument("z") + "|");
    for (const HTTPFile* file : files("f")) {
      write(file->filename + " " + std::to_string(file->size()) +
            (file->is_in_memory() ? " memory " : " disk "));
      const std::string end = co_await file->read(file->size() - 3, 10);
      write(end + "|");
    }
  }
};

constexpr std::string_view form_type = "Content-Type: multipart/form-data; boundary=XX\r\n";

std::string long_form(std::size_t first, std::size_t second) {
  return "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n"
         "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"1\"\r\n\r\n" +
         text(first) +
         "end\r\n"
         "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"2\"\r\n\r\n" +
         text(second) +
         "END\r\n"
         "--XX\r\nContent-Disposition: form-data; name=\"z\"\r\n\r\nlast\r\n--XX--\r\n";
}

TEST_F(BodyIntakeTest, LongFormsAreTakenApartAsTheyCome) {
  Application app({{"/", handler<LongForm>}}, {.decompress_request = true});
  const std::string body = long_form(200'000, 5'000'000);
  const std::string want = "one|last|1 200003 memory end|2 5000003 disk END|";
  EXPECT_EQ(body_of(request(app, "POST /", form_type, body)), want);
  EXPECT_EQ(body_of(request(app, "POST /",
                            std::string(form_type) +
                                "Content-Encoding: zstd\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n" +
                                chunked(coded(ContentCoding::zstd, body), 1000))),
            want);
}

TEST_F(BodyIntakeTest, ALongFormMayBeLargerThanWhatIsHeldInMemory) {
  Application app({{"/", handler<LongForm>}},
                  {.max_body_size = 1000, .max_streamed_body_size = 3'000'000});
  EXPECT_EQ(body_of(request(app, "POST /", form_type, long_form(10, 2'500'000))),
            "one|last|1 13 memory end|2 2500003 disk END|");
  EXPECT_EQ(status_of(request(app, "POST /", form_type, long_form(10, 3'000'000))),
            "HTTP/1.1 413 Content Too Large");
}

TEST_F(BodyIntakeTest, BadLongFormsGetTheirStatus) {
  Application app({{"/", handler<LongForm>}});
  const std::string body = long_form(10, 2'000'000);
  EXPECT_EQ(status_of(request(app, "POST /", "Content-Type: multipart/form-data\r\n", body)),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(status_of(request(app, "POST /", form_type, body.substr(0, body.size() - 8))),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(status_of(request(app, "POST /", form_type, std::string(2'000'000, '-'))),
            "HTTP/1.1 400 Bad Request");
}

TEST_F(BodyIntakeTest, AClientMayLeaveInTheMiddleOfALongForm) {
  Application app({{"/", handler<LongForm>}});
  const std::string body = long_form(10, 8'000'000);
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n" + std::string(form_type) +
                           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  EXPECT_EQ(send(app, head + body.substr(0, 6'000'000)), "");
}

}  // namespace
}  // namespace squall::web
