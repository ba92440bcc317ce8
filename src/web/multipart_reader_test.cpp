// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/http_error.hpp>
#include <squall/web/multipart_reader.hpp>
#include <squall/web/request_handler.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace squall::web {
namespace {

constexpr std::string_view type = "multipart/form-data; boundary=XX";

std::string part(std::string_view disposition, std::string_view data) {
  std::string text = "--XX\r\nContent-Disposition: form-data; ";
  return text.append(disposition).append("\r\n\r\n").append(data).append("\r\n");
}

/// Gives a text in pieces, each in a block of its own that goes with the next one, some at once and
/// some in a turn to come.
class ScriptedSource final : public BodySource {
 public:
  ScriptedSource(std::string text, std::size_t first, std::size_t piece)
      : text_(std::move(text)), size_(first), piece_(piece) {}
  Task<std::string_view> read() override {
    ++reads;
    if (reads % 3 == 0) co_await sleep(Duration());
    if (size_ == 0) size_ = piece_;
    const std::size_t size = std::min(size_, text_.size() - at_);
    auto next = std::make_unique<char[]>(size + 1);
    text_.copy(next.get(), size, at_);
    block_ = std::move(next);
    at_ += size;
    size_ = piece_;
    co_return std::string_view(block_.get(), size);
  }
  int reads = 0;

 private:
  std::string text_;
  std::size_t at_ = 0;
  std::size_t size_;
  std::size_t piece_;
  std::unique_ptr<char[]> block_;
};

Task<std::string> read_form(MultipartReader* form) {
  std::string told;
  for (;;) {
    MultipartPart* const next = co_await form->next_part();
    if (next == nullptr) co_return told;
    told += next->name() + (next->has_filename() ? "(" + next->filename() + ")" : "") + "=";
    if (next->name() == "skip") continue;
    if (next->name() == "half") {
      const std::string_view piece = co_await next->read();
      told += piece.substr(0, 1);
      continue;
    }
    for (;;) {
      const std::string_view piece = co_await next->read();
      if (piece.empty()) break;
      told += piece;
    }
    const std::string_view nothing = co_await next->read();
    told += nothing.empty() ? "." : "more";
  }
}

Task<std::string> read_whole_parts(MultipartReader* form, std::size_t limit) {
  std::string told;
  for (;;) {
    MultipartPart* const next = co_await form->next_part();
    if (next == nullptr) co_return told;
    const std::string all = co_await next->read_all(limit);
    told += all + ";";
  }
}

TEST(MultipartReader, ReadsAFormPartByPartAtEveryCut) {
  const std::string body = part("name=a", "one\r\ntwo") + part("name=skip", "gone") +
                           part("name=f; filename=\"x\"", "") + part("name=half", "h") +
                           part("name=z", "last") + "--XX--\r\nepilogue";
  for (std::size_t cut = 1; cut <= body.size(); ++cut) {
    ScriptedSource source(body, cut, body.size());
    MultipartReader form(type, source);
    ASSERT_EQ(IOLoop::current().run_sync(read_form(&form)), "a=one\r\ntwo.skip=f(x)=.half=hz=last.")
        << cut;
  }
  ScriptedSource source(body, 1, 1);
  MultipartReader form(type, source);
  EXPECT_EQ(IOLoop::current().run_sync(read_form(&form)), "a=one\r\ntwo.skip=f(x)=.half=hz=last.");
}

TEST(MultipartReader, ReadsNoFurtherThanItIsAsked) {
  ScriptedSource source(part("name=a", std::string(1000, 'x')), 100, 100);
  MultipartReader form(type, source);
  MultipartPart* const first = IOLoop::current().run_sync(form.next_part());
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(source.reads, 1);
  EXPECT_FALSE(IOLoop::current().run_sync(first->read()).empty());
  EXPECT_EQ(source.reads, 1);
}

template <class F>
int status_of_error(F run) {
  try {
    static_cast<void>(run());
  } catch (const HTTPError& error) {
    return error.status();
  }
  return 0;
}

TEST(MultipartReader, TellsWhatIsWrong) {
  const auto status = [](const std::string& body, const MultipartReaderOptions& options = {}) {
    ScriptedSource source(body, 7, 7);
    MultipartReader form(type, source, options);
    return status_of_error([&] { return IOLoop::current().run_sync(read_form(&form)); });
  };
  const std::string good = part("name=a", "1") + part("name=b", "2") + "--XX--";
  EXPECT_EQ(status(good), 0);
  EXPECT_EQ(status(good.substr(0, good.size() - 2)), 400);
  EXPECT_EQ(status(part("name=a", "1").substr(0, 10)), 400);
  EXPECT_EQ(status(part("filename=a", "1")), 400);
  EXPECT_EQ(status(good, {.max_parts = 2}), 0);
  EXPECT_EQ(status(good, {.max_parts = 1}), 413);
  EXPECT_EQ(status(good, {.max_part_head = 10}), 413);
  EXPECT_EQ(status(good, {.max_bytes = good.size()}), 0);
  EXPECT_EQ(status(good, {.max_bytes = 20}), 413);
  ScriptedSource source("", 1, 1);
  EXPECT_EQ(status_of_error([&] { return MultipartReader("text/plain", source), 0; }), 415);
  EXPECT_EQ(status_of_error([&] { return MultipartReader("multipart/form-data", source), 0; }),
            400);
}

TEST(MultipartReader, ReadsWholePartsUpToALimit) {
  const std::string body = part("name=a", "12345") + part("name=b", "") + "--XX--";
  ScriptedSource source(body, 3, 3);
  MultipartReader form(type, source);
  EXPECT_EQ(IOLoop::current().run_sync(read_whole_parts(&form, 5)), "12345;;");
  ScriptedSource again(body, 3, 3);
  MultipartReader small(type, again);
  EXPECT_EQ(
      status_of_error([&] { return IOLoop::current().run_sync(read_whole_parts(&small, 4)); }),
      413);
}

TEST(MultipartReader, TwoReadersAtOnceAreMisuse) {
  ScriptedSource source(part("name=a", "1") + "--XX--", 1, 1);
  MultipartReader form(type, source);
  Task<MultipartPart*> first = form.next_part();
  Task<MultipartPart*> second = form.next_part();
  const auto both = [](Task<MultipartPart*>* one, Task<MultipartPart*>* two) -> Task<> {
    IOLoop::current().spawn(
        [](Task<MultipartPart*>* begun) -> Task<> { static_cast<void>(co_await *begun); }(one));
    static_cast<void>(co_await *two);
  };
  EXPECT_THROW(IOLoop::current().run_sync(both(&first, &second)), UsageError);
}

class MultipartRequestTest : public WebTest {};

struct Streams : RequestHandler {
  static constexpr bool stream_request_body = true;
  Task<> post() {
    MultipartReader form(request());
    const std::string told = co_await read_form(&form);
    write(told);
  }
};
struct Whole : RequestHandler {
  Task<> post() {
    MultipartReader form(request());
    const std::string told = co_await read_form(&form);
    write(told);
  }
};

TEST_F(MultipartRequestTest, RequestsAreReadAsTheyCome) {
  Application app({{"/streams", handler<Streams>}, {"/whole", handler<Whole>}});
  const std::string large(3'000'000, 'x');
  const std::string body =
      part("name=skip; filename=l", large) + part("name=a", "1") + "--XX--\r\n";
  const std::string fields = "Content-Type: " + std::string(type) + "\r\n";
  const std::string small = part("name=skip; filename=l", "x") + part("name=a", "1") + "--XX--\r\n";
  for (const std::string path : {"POST /streams", "POST /whole"}) {
    // A long one is taken apart as it comes unless the handler streams.
    const std::string& sent = path == "POST /whole" ? small : body;
    EXPECT_EQ(body_of(request(app, path, fields, sent)), "skip(l)=a=1.") << path;
    EXPECT_EQ(status_of(request(app, path, fields, sent.substr(0, sent.size() - 8))),
              "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(status_of(request(app, path, "Content-Type: text/plain\r\n", "x")),
              "HTTP/1.1 415 Unsupported Media Type");
  }
}

}  // namespace
}  // namespace squall::web
