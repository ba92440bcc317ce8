// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/web/application.hpp>
#include <squall/web/static_file_handler.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace squall::web {
namespace {

class StaticFileHandlerTest : public WebTest {
 protected:
  StaticFileHandlerTest() {
    char name[] = "/tmp/squall_staticXXXXXX";
    base = ::mkdtemp(name);
    root = base + "/site";
    ::mkdir(root.c_str(), 0755);
    ::mkdir((root + "/sub").c_str(), 0755);
    put(root + "/a.css", "body{}");
    put(root + "/sub/index.html", "<p>sub");
    put(base + "/secret.txt", "secret");
    EXPECT_EQ(::symlink("../secret.txt", (root + "/out").c_str()), 0);
    EXPECT_EQ(::symlink("a.css", (root + "/in.css").c_str()), 0);
  }
  ~StaticFileHandlerTest() override {
    for (const char* file :
         {"/site/a.css", "/site/sub/index.html", "/secret.txt", "/site/out", "/site/in.css"}) {
      ::unlink((base + file).c_str());
    }
    ::rmdir((root + "/sub").c_str());
    ::rmdir(root.c_str());
    ::rmdir(base.c_str());
  }
  static void put(const std::string& path, std::string_view text) {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
  std::string get(std::string_view path, std::string_view fields = {}) {
    Application app({{"/{path...}", handler<StaticFileHandler>(root, std::string("index.html"))}});
    return request(app, "GET " + std::string(path), fields);
  }
  static std::string field(std::string_view answer, std::string_view name) {
    const std::string wanted = "\r\n" + std::string(name) + ": ";
    const std::size_t at = answer.find(wanted);
    if (at == std::string_view::npos) return {};
    const std::size_t begin = at + wanted.size();
    return std::string(answer.substr(begin, answer.find("\r\n", begin) - begin));
  }

  std::string base;
  std::string root;
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
  put(root + "/a.css", "body{color:red}");
  EXPECT_NE(field(get("/a.css"), "Etag"), before);
}

TEST_F(StaticFileHandlerTest, NothingOutsideTheDirectoryIsServed) {
  for (const std::string path : {"/../secret.txt", "/%2e%2e/secret.txt", "/sub/../../secret.txt",
                                 "/..%2fsecret.txt", "/out", "//etc/passwd", "/%00", "/nothing"}) {
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

}  // namespace
}  // namespace squall::web
