// SPDX-License-Identifier: Apache-2.0
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/base/limits.hpp>
#include <squall/coro/event.hpp>
#include <squall/coro/sleep.hpp>
#include <squall/web/application.hpp>
#include <squall/web/request_handler.hpp>

#include <stdexcept>
#include <string>

namespace squall::web {
namespace {

class BackgroundTasksTest : public WebTest {};

std::string done;

Task<> note(std::string text) {
  co_await sleep(Duration());
  done += text;
}
Task<> fail() {
  co_await sleep(Duration());
  throw std::runtime_error("the mail was refused");
}

/// Says in its answer what was done by then.
struct Leaving : RequestHandler {
  void on_finish() override { done += "finished "; }
  void get() {
    add_background_task(note("first "));
    add_background_task(note("second "));
    write("answered before [" + done + "]");
  }
  void post() {
    add_background_task(note("never "));
    throw HTTPError(400);
  }
  void put() {
    add_background_task(fail());
    add_background_task(note("never "));
  }
  void patch() {
    for (std::size_t i = 0; i < limits::background_tasks; ++i) add_background_task(note(""));
    EXPECT_THROW(add_background_task(note("never ")), UsageError);
  }
  void delete_() {
    finish();
    add_background_task(note("never "));
  }
};

TEST_F(BackgroundTasksTest, RunInOrderAfterTheResponse) {
  done.clear();
  Application app({{"/", handler<Leaving>}});
  EXPECT_EQ(body_of(request(app, "GET /")), "answered before []");
  app.shutdown();
  run_until_shut_down();
  EXPECT_EQ(done, "finished first second ");
}

TEST_F(BackgroundTasksTest, AreForgottenByErrorPages) {
  done.clear();
  Application app({{"/", handler<Leaving>}});
  EXPECT_EQ(code(request(app, "POST /", {}, "x")), "400");
  app.shutdown();
  run_until_shut_down();
  EXPECT_EQ(done, "finished ");
}

TEST_F(BackgroundTasksTest, AFailureEndsThoseOfItsRequestAndIsInTheLog) {
  done.clear();
  Application app({{"/", handler<Leaving>}});
  EXPECT_EQ(code(request(app, "PUT /", {}, "x")), "200");
  app.shutdown();
  run_until_shut_down();
  EXPECT_EQ(done, "finished ");
  EXPECT_NE(log_text().find("app: a background task of PUT / threw: the mail was refused\n"),
            std::string::npos)
      << log_text();
}

TEST_F(BackgroundTasksTest, AreLimitedAndComeBeforeTheEnd) {
  done.clear();
  Application app({{"/", handler<Leaving>}});
  EXPECT_EQ(code(request(app, "PATCH /", {}, "x")), "200");
  EXPECT_EQ(code(request(app, "DELETE /")), "200");
  EXPECT_NE(log_text().find("the response is finished"), std::string::npos) << log_text();
}

struct Waiting : RequestHandler {
  static inline Event* goes_on = nullptr;
  static Task<> wait() {
    co_await goes_on->wait();
    done += "waited";
  }
  void get() { add_background_task(wait()); }
};

TEST_F(BackgroundTasksTest, ShuttingDownWaitsForThem) {
  done.clear();
  Event goes_on;
  Waiting::goes_on = &goes_on;
  Application app({{"/", handler<Waiting>}});
  EXPECT_EQ(code(request(app, "GET /")), "200");
  app.shutdown();
  IOLoop& loop = IOLoop::current();
  loop.call_later(Duration::from_milliseconds(20), [&] { loop.stop(); });
  loop.start();
  EXPECT_EQ(log_text().find("all requests have finished"), std::string::npos);
  goes_on.set();
  run_until_shut_down();
  EXPECT_EQ(done, "waited");
}

TEST_F(BackgroundTasksTest, EndWithTheApplication) {
  done.clear();
  Event never;
  Waiting::goes_on = &never;
  {
    Application app({{"/", handler<Waiting>}});
    EXPECT_EQ(code(request(app, "GET /")), "200");
  }
  EXPECT_EQ(done, "");
}

}  // namespace
}  // namespace squall::web
