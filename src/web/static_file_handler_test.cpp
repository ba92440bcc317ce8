// SPDX-License-Identifier: Apache-2.0
#include "web/file_testing.hpp"
#include "web/web_testing.hpp"

#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/static_file_handler.hpp>

#include <chrono>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace squall::web {
namespace {

const std::string large = [] {
  std::string text;
  while (text.size() < 100'000) text += std::to_string(text.size()) + "|";
  return text;
}();

class StaticFileHandlerTest : public WebTest {
 protected:
  StaticFileHandlerTest() {
    directory.put("site/a.css", "body{}");
    directory.put("site/large.txt", large);
    directory.put("site/sub/index.html", "<p>sub");
    directory.put("secret.txt", "secret");
    directory.link("../secret.txt", "site/out");
    directory.link("a.css", "site/in.css");
  }
  std::string get(std::string_view path, std::string_view fields = {},
                  std::string_view method = "GET") {
    Application app({{"/{path...}", handler<StaticFileHandler>(root, std::string("index.html"))}});
    return request(app, std::string(method) + " " + std::string(path), fields);
  }

  TemporaryDirectory directory;
  std::string root = directory.of("site");
};

TEST_F(StaticFileHandlerTest, ServesFilesWithTypeAndValidators) {
  const std::string answer = get("/a.css");
  EXPECT_EQ(status_of(answer), "HTTP/1.1 200 OK");
  EXPECT_EQ(body_of(answer), "body{}");
  EXPECT_EQ(field(answer, "Content-Type"), "text/css; charset=utf-8");
  EXPECT_EQ(field(answer, "Content-Length"), "6");
  EXPECT_FALSE(field(answer, "Etag").empty());
  EXPECT_FALSE(field(answer, "Last-Modified").empty());
}

TEST_F(StaticFileHandlerTest, AnUnchangedFileIs304) {  // RFC 9110 §13.1
  const std::string first = get("/a.css");
  const std::string etag = field(first, "Etag");
  const std::string date = field(first, "Last-Modified");
  const std::string same = get("/a.css", "If-None-Match: \"x\", W/" + etag + "\r\n");
  EXPECT_EQ(status_of(same), "HTTP/1.1 304 Not Modified");
  EXPECT_EQ(body_of(same), "");
  EXPECT_EQ(field(same, "Etag"), etag);
  EXPECT_EQ(field(same, "Content-Type"), "");
  EXPECT_EQ(status_of(get("/a.css", "If-Modified-Since: " + date + "\r\n")),
            "HTTP/1.1 304 Not Modified");
  EXPECT_EQ(status_of(get("/a.css", "If-None-Match: \"x\"\r\nIf-Modified-Since: " + date + "\r\n")),
            "HTTP/1.1 200 OK");
  EXPECT_EQ(status_of(get("/a.css", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n")),
            "HTTP/1.1 200 OK");
}

TEST_F(StaticFileHandlerTest, AChangedFileHasAnotherETag) {
  const std::string before = field(get("/a.css"), "Etag");
  directory.put("site/a.css", "body{color:red}");
  EXPECT_NE(field(get("/a.css"), "Etag"), before);
}

TEST_F(StaticFileHandlerTest, NothingOutsideTheDirectoryIsServed) {
  for (const std::string path :
       {"/../secret.txt", "/%2e%2e/secret.txt", "/sub/../../secret.txt", "/..%2fsecret.txt",
        "/%2E%2E%2Fsecret.txt", "/..\\secret.txt", "/..%5csecret.txt", "/sub%2findex.html",
        "/sub%5cindex.html", "/./a.css", "/out", "//etc/passwd", "/%00", "/nothing"}) {
    const std::string answer = get(path);
    EXPECT_EQ(status_of(answer), "HTTP/1.1 404 Not Found") << path;
    EXPECT_EQ(answer.find("secret"), std::string::npos) << path;
  }
  EXPECT_EQ(body_of(get("/in.css")), "body{}") << "links inside are fine";
}

TEST_F(StaticFileHandlerTest, ADirectoryLeadsToItsIndex) {
  const std::string answer = get("/sub?x=1");
  EXPECT_EQ(status_of(answer), "HTTP/1.1 301 Moved Permanently");
  EXPECT_EQ(field(answer, "Location"), "/sub/?x=1");
  EXPECT_EQ(body_of(get("/sub/")), "<p>sub");
  EXPECT_EQ(status_of(get("/")), "HTTP/1.1 404 Not Found") << "no index here";
  EXPECT_EQ(field(get("//sub"), "Location"), "/sub/") << "\"//sub\" would be another host";
}

TEST_F(StaticFileHandlerTest, HeadHasTheLengthAndNoBody) {
  Application app({}, {.static_path = root});
  const std::string answer = request(app, "HEAD /static/a.css");
  EXPECT_EQ(field(answer, "Content-Length"), "6");
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(StaticFileHandlerTest, ALargeFileIsSentInWholeAndInParts) {  // RFC 9110 §14
  const std::string size = std::to_string(large.size());
  const std::string whole = get("/large.txt");
  EXPECT_TRUE(body_of(whole) == large);
  EXPECT_EQ(field(whole, "Accept-Ranges"), "bytes");
  EXPECT_EQ(field(whole, "X-Content-Type-Options"), "nosniff");
  const std::string part = get("/large.txt", "Range: bytes=50000-50009\r\n");
  EXPECT_EQ(code(part), "206");
  EXPECT_EQ(body_of(part), large.substr(50'000, 10));
  EXPECT_EQ(field(part, "Content-Range"), "bytes 50000-50009/" + size);
  EXPECT_EQ(field(part, "Content-Length"), "10");
  EXPECT_EQ(body_of(get("/large.txt", "Range: bytes=-7\r\n")), large.substr(large.size() - 7));
  EXPECT_TRUE(body_of(get("/large.txt", "Range: bytes=7-\r\n")) == large.substr(7));
  const std::string beyond = get("/large.txt", "Range: bytes=" + size + "-\r\n");
  EXPECT_EQ(code(beyond), "416");
  EXPECT_EQ(field(beyond, "Content-Range"), "bytes */" + size);
  EXPECT_EQ(code(get("/large.txt", "Range: bytes=0-\r\n")), "200");
  const std::string head = get("/large.txt", "Range: bytes=0-1\r\n", "HEAD");
  EXPECT_EQ(code(head), "200");
  EXPECT_EQ(field(head, "Content-Length"), size);
  EXPECT_EQ(body_of(head), "");
}

TEST_F(StaticFileHandlerTest, SeveralRangesOfAFileAreParts) {  // RFC 9110 §14.6
  const std::string answer = get("/large.txt", "Range: bytes=0-2,90000-90002,-3\r\n");
  EXPECT_EQ(code(answer), "206");
  const std::string type = field(answer, "Content-Type");
  const std::string line = "--" + type.substr(type.find('=') + 1);
  const std::string body = body_of(answer);
  EXPECT_EQ(field(answer, "Content-Length"), std::to_string(body.size()));
  const std::string size = std::to_string(large.size());
  const auto part = [&](std::string_view range, std::string_view bytes) {
    return line + "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes " +
           std::string(range) + "/" + size + "\r\n\r\n" + std::string(bytes) + "\r\n";
  };
  const std::string last =
      std::to_string(large.size() - 3) + "-" + std::to_string(large.size() - 1);
  EXPECT_EQ(body, part("0-2", large.substr(0, 3)) + part("90000-90002", large.substr(90'000, 3)) +
                      part(last, large.substr(large.size() - 3)) + line + "--\r\n");
}

TEST_F(StaticFileHandlerTest, ARangeOfAnotherVersionIsNotSent) {  // RFC 9110 §13.1.5
  directory.set_modified("site/large.txt", 1'000'000'000);
  const std::string first = get("/large.txt");
  const std::string range = "Range: bytes=5-9\r\nIf-Range: ";
  EXPECT_EQ(code(get("/large.txt", range + field(first, "Etag") + "\r\n")), "206");
  EXPECT_EQ(code(get("/large.txt", range + field(first, "Last-Modified") + "\r\n")), "206");
  directory.put("site/large.txt", large + "more");
  EXPECT_EQ(code(get("/large.txt", range + field(first, "Etag") + "\r\n")), "200");
  EXPECT_EQ(code(get("/large.txt", range + field(first, "Last-Modified") + "\r\n")), "200");
}

TEST_F(StaticFileHandlerTest, ACodingBesideTheFileIsSentToThoseWhoTakeIt) {
  directory.put("site/a.css.br", "BR");
  directory.put("site/a.css.gz", "GZIPPED");
  const std::string plain = get("/a.css");
  EXPECT_EQ(body_of(plain), "body{}");
  EXPECT_EQ(field(plain, "Vary"), "Accept-Encoding");
  EXPECT_EQ(field(plain, "Content-Encoding"), "");
  const std::string coded = get("/a.css", "Accept-Encoding: gzip, br\r\n");
  EXPECT_EQ(body_of(coded), "BR");
  EXPECT_EQ(field(coded, "Content-Encoding"), "br");
  EXPECT_EQ(field(coded, "Content-Type"), "text/css; charset=utf-8");
  EXPECT_EQ(field(coded, "Vary"), "Accept-Encoding");
  EXPECT_NE(field(coded, "Etag"), field(plain, "Etag"));
  EXPECT_EQ(
      code(get("/a.css", "Accept-Encoding: br\r\nIf-None-Match: " + field(coded, "Etag") + "\r\n")),
      "304");
  EXPECT_EQ(code(get("/a.css", "If-None-Match: " + field(coded, "Etag") + "\r\n")), "200")
      << "the tag of another representation";
  // RFC 9110 §14: a range is one of the representation that is selected.
  const std::string part = get("/a.css", "Accept-Encoding: gzip\r\nRange: bytes=1-2\r\n");
  EXPECT_EQ(body_of(part), "ZI");
  EXPECT_EQ(field(part, "Content-Range"), "bytes 1-2/7");
  EXPECT_EQ(field(part, "Content-Encoding"), "gzip");
  EXPECT_EQ(field(get("/a.css.gz"), "Content-Encoding"), "") << "asked for by its own name";
  EXPECT_EQ(field(get("/large.txt"), "Vary"), "");
}

TEST_F(StaticFileHandlerTest, HiddenFilesAreHidden) {
  directory.put("site/.env", "key");
  directory.put("site/.git/config", "key");
  directory.put("site/sub/.hidden", "key");
  directory.put("site/.well-known/security.txt", "mail");
  for (const char* path :
       {"/.env", "/.git/config", "/sub/.hidden", "/%2eenv", "/sub/.well-known"}) {
    EXPECT_EQ(code(get(path)), "404") << path;
  }
  EXPECT_EQ(body_of(get("/.well-known/security.txt")), "mail");
  Application app(
      {{"/{path...}", handler<StaticFileHandler>(root, StaticFileOptions{.dot_files = true})}});
  EXPECT_EQ(body_of(request(app, "GET /.env")), "key");
}

TEST_F(StaticFileHandlerTest, LinksLeadOutWhereThatIsWished) {
  Application app({{"/{path...}",
                    handler<StaticFileHandler>(root, StaticFileOptions{.follow_symlinks = true})}});
  EXPECT_EQ(body_of(request(app, "GET /out")), "secret");
}

TEST_F(StaticFileHandlerTest, WhatIsNoFileIsNotServed) {
  ASSERT_EQ(::mkfifo((root + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(code(get("/fifo")), "404");
  EXPECT_EQ(code(get("/a.css/")), "404");
}

TEST_F(StaticFileHandlerTest, AChangeWithinTheIntervalIsNeverAMixture) {
  Application app({{"/{path...}",
                    handler<StaticFileHandler>(
                        root, StaticFileOptions{.check_interval = Duration::from_seconds(3600)})}});
  const auto consistent = [](const std::string& answer) {
    return field(answer, "Content-Length") == std::to_string(body_of(answer).size());
  };
  std::string etag;
  for (int i = 0; i < 4; ++i) {
    const std::string text = large + std::string(static_cast<std::size_t>(i) * 1000, 'x');
    directory.put("site/large.txt", text);
    const std::string answer = request(app, "GET /large.txt");
    EXPECT_TRUE(body_of(answer) == text) << "large files written in place are seen at once";
    EXPECT_TRUE(consistent(answer));
    EXPECT_NE(field(answer, "Etag"), etag);
    etag = field(answer, "Etag");
    directory.put("site/a.css", text.substr(0, 100U + static_cast<unsigned>(i)));
    const std::string small = request(app, "GET /a.css");
    EXPECT_EQ(body_of(small), large.substr(0, 100)) << "small ones stay whole";
    EXPECT_TRUE(consistent(small));
  }
}

TEST_F(StaticFileHandlerTest, WithItsVersionAFileIsCachedForGood) {
  struct Page : RequestHandler {
    void get(std::string name) {
      const StaticURLOptions bare{.include_version = false};
      write(static_url(name) + " " + static_url(name, {.include_host = true}) + " " +
            static_url(name, bare));
    }
  };
  directory.put("site/with space+.txt", "x");
  Application app({{"/page/{name...}", handler<Page>}}, {.static_path = root});
  const std::string hash = "?v=7c98040a541657584690ae2a1cc3b42a";
  EXPECT_EQ(body_of(request(app, "GET /page/a.css")),
            "/static/a.css" + hash + " http://test/static/a.css" + hash + " /static/a.css");
  const std::string control = "Cache-Control";
  EXPECT_EQ(field(request(app, "GET /static/a.css" + hash), control),
            "public, max-age=31536000, immutable");
  EXPECT_EQ(field(request(app, "GET /static/a.css"), control), "no-cache");
  EXPECT_EQ(field(request(app, "GET /static/a.css?v=0"), control), "no-cache");
  EXPECT_EQ(field(request(app, "GET /static/a.css" + hash, "If-None-Match: *\r\n"), control),
            "public, max-age=31536000, immutable")
      << "also of 304";
  EXPECT_TRUE(body_of(request(app, "GET /page/with%20space+.txt"))
                  .starts_with("/static/with%20space%2B.txt?v="));
  EXPECT_EQ(body_of(request(app, "GET /page/sub/none")).find("?v="), std::string::npos);
  EXPECT_NE(log_text().find("no static file \"sub/none\""), std::string::npos);
  // A huge file's version is made elsewhere; meanwhile there is none, and nobody waits.
  directory.put("site/huge.txt", large + large + large);
  std::string url;
  for (int i = 0; i < 1000 && url.find("?v=") == std::string::npos; ++i) {
    url = body_of(request(app, "GET /page/huge.txt"));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_NE(url.find("?v="), std::string::npos);
  url = url.substr(0, url.find(' '));
  EXPECT_EQ(field(request(app, "GET " + url), control), "public, max-age=31536000, immutable");
  EXPECT_EQ(app.make_static_url("huge.txt"), url);
}

TEST_F(StaticFileHandlerTest, BrowsersFindTheirFilesAtTheTop) {
  directory.put("site/favicon.ico", "icon");
  directory.put("site/robots.txt", "robots");
  {
    Application app({}, {.static_path = root});
    EXPECT_EQ(body_of(request(app, "GET /favicon.ico")), "icon");
    EXPECT_EQ(body_of(request(app, "GET /robots.txt")), "robots");
  }
  Application app({{"/{anything...}", handler<StaticFileHandler>(directory.path())}},
                  {.static_path = root});
  app.get("/robots.txt", [] { return "my own"; });
  EXPECT_EQ(body_of(request(app, "GET /robots.txt")), "my own");
  EXPECT_EQ(body_of(request(app, "GET /favicon.ico")), "icon");
}

TEST_F(StaticFileHandlerTest, SettingsReachTheFiles) {
  directory.put("site/data.own", "x");
  Application app({}, {.static_path = root,
                       .static_url_prefix = "/files/",
                       .static_options = {.default_filename = "index.html"},
                       .mime_types = {{"own", "application/x-own"}, {"css", "text/x-mine"}}});
  EXPECT_EQ(field(request(app, "GET /files/data.own"), "Content-Type"), "application/x-own");
  EXPECT_EQ(field(request(app, "GET /files/a.css"), "Content-Type"), "text/x-mine");
  EXPECT_EQ(body_of(request(app, "GET /files/sub/")), "<p>sub");
}

TEST_F(StaticFileHandlerTest, CompressionLeavesFilesAlone) {
  const std::string text(10'000, 'a');
  directory.put("site/text.txt", text);
  directory.put("site/coded.txt", text);
  directory.put("site/coded.txt.gz", "GZIPPED");
  Application app({}, {.compress_response = true, .static_path = root});
  const std::string takes = "Accept-Encoding: gzip\r\n";
  const std::string small = request(app, "GET /static/text.txt", takes);
  EXPECT_EQ(body_of(small), text);
  EXPECT_TRUE(field(small, "Etag").starts_with('"')) << "strong, so that parts can be asked for";
  const std::string part = request(app, "GET /static/text.txt", takes + "Range: bytes=0-9\r\n");
  EXPECT_EQ(code(part), "206");
  EXPECT_EQ(body_of(part), text.substr(0, 10));
  EXPECT_EQ(field(part, "Content-Encoding"), "");
  const std::string whole = request(app, "GET /static/large.txt", takes);
  EXPECT_EQ(field(whole, "Content-Encoding"), "");
  EXPECT_TRUE(body_of(whole) == large);
  EXPECT_EQ(body_of(request(app, "GET /static/coded.txt", takes)), "GZIPPED") << "once is enough";
}

TEST_F(StaticFileHandlerTest, HooksHaveTheLastWord) {
  struct Own : StaticFileHandler {
    explicit Own(std::string_view root) : StaticFileHandler(root) {}
    Task<> prepare() override {
      co_await sleep(Duration());
      if (request().header("X-Key") != "secret") throw HTTPError(403);
    }
    void set_extra_headers(std::string_view path) override { set_header("X-Path", path); }
    int get_cache_time(std::string_view, std::int64_t, std::string_view type) override {
      return type.starts_with("text/css") ? 60 : -1;
    }
    std::string get_content_type(std::string_view path) override {
      return path == "sub/index.html" ? "text/x-own" : "";
    }
  };
  Application app({{"/{path...}", handler<Own>(root)}});
  EXPECT_EQ(code(request(app, "GET /a.css")), "403");
  const std::string key = "X-Key: secret\r\n";
  const std::string css = request(app, "GET /a.css", key);
  EXPECT_EQ(body_of(css), "body{}");
  EXPECT_EQ(field(css, "X-Path"), "a.css");
  EXPECT_EQ(field(css, "Cache-Control"), "public, max-age=60");
  EXPECT_EQ(field(css, "Content-Type"), "text/css; charset=utf-8");
  const std::string page = request(app, "GET /sub/index.html", key);
  EXPECT_EQ(field(page, "Cache-Control"), "");
  EXPECT_EQ(field(page, "Content-Type"), "text/x-own");
  EXPECT_EQ(code(request(app, "GET /none", key)), "404") << "found missing on the Executor";
}

TEST_F(StaticFileHandlerTest, WithoutItsDirectoryNothingIsFound) {
  Application app({{"/{path...}", handler<StaticFileHandler>(root + "/none")}});
  EXPECT_EQ(code(request(app, "GET /a.css")), "404");
  EXPECT_NE(log_text().find("cannot be opened"), std::string::npos);
}

}  // namespace
}  // namespace squall::web
