// SPDX-License-Identifier: Apache-2.0
#include "realtime/hub_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/realtime/hub.hpp>

#include <gtest/gtest.h>

#include <string>

namespace squall::realtime {
namespace {

template <class T>
T wait(Task<T> task) {
  return IOLoop::current().run_sync(std::move(task), Duration::from_seconds(20));
}

std::string texts(const PollResult& result) {
  std::string text;
  for (const PublicationRef& one : result.publications) text += std::string(one->data()) + " ";
  return text;
}

TEST(HubPoll, WithoutACursorItTellsWhereToBegin) {
  Hub hub;
  hub.configure("*", keeping(10));
  hub.publish("a", "1");
  const PollResult result = wait(hub.poll("a", Position()));
  EXPECT_TRUE(result.recovered);
  EXPECT_TRUE(result.publications.empty());
  EXPECT_EQ(result.position.offset(), 1U);
}

TEST(HubPoll, GivesWhatCameSinceTheCursorAtOnceAndPageByPage) {
  Hub hub;
  hub.configure("*", keeping(10));
  Position cursor = wait(hub.poll("a", Position())).position;
  for (const char* const data : {"1", "2", "3"}) hub.publish("a", data);
  PollResult result = wait(hub.poll("a", cursor, {.limit = 2}));
  EXPECT_EQ(texts(result), "1 2 ");
  EXPECT_TRUE(result.recovered);
  result = wait(hub.poll("a", result.position, {.limit = 2}));
  EXPECT_EQ(texts(result), "3 ");
}

TEST(HubPoll, WaitsForTheNextOne) {
  Hub hub;
  hub.configure("*", keeping(10));
  const Position cursor = wait(hub.poll("a", Position())).position;
  IOLoop& loop = IOLoop::current();
  loop.call_later(Duration::from_milliseconds(5), [&hub] {
    hub.publish("a", "1");
    hub.publish("a", "2");
  });
  const PollResult result = wait(hub.poll("a", cursor));
  EXPECT_EQ(texts(result), "1 2 ");
  EXPECT_EQ(result.position, cursor.at(2));
}

TEST(HubPoll, IsEmptyWhenTheTimeIsUpAndKeepsTheCursor) {
  Hub hub;
  const Position cursor = wait(hub.poll("a", Position())).position;
  const PollResult result =
      wait(hub.poll("a", cursor, {.timeout = Duration::from_milliseconds(5)}));
  EXPECT_TRUE(result.recovered);
  EXPECT_TRUE(result.publications.empty());
  EXPECT_EQ(result.position, cursor);
  EXPECT_EQ(hub.metrics().subscriptions, 0U);
}

TEST(HubPoll, SaysWhenSomethingMayBeMissing) {
  Hub hub;
  hub.configure("*", keeping(1));
  const Position cursor = wait(hub.poll("a", Position())).position;
  for (const char* const data : {"1", "2"}) hub.publish("a", data);
  const PollResult result = wait(hub.poll("a", cursor));
  EXPECT_FALSE(result.recovered);
  EXPECT_TRUE(result.publications.empty());
  EXPECT_EQ(result.position, cursor.at(2));
}

TEST(HubPoll, EndsAtOnceWhenItsClientLeaves) {
  Hub hub;
  const Position cursor = wait(hub.poll("a", Position())).position;
  EXPECT_THROW(wait(with_timeout(Duration::from_milliseconds(5), hub.poll("a", cursor))),
               TimeoutError);
  EXPECT_EQ(hub.metrics().subscriptions, 0U);
}

TEST(HubPoll, IsNoMember) {
  Hub hub;
  ChannelOptions options = keeping(1);
  options.presence = options.join_leave = true;
  hub.configure("*", options);
  Recorder watcher;
  hub.subscribe(watcher, "a", {.client = "w"});
  turns();
  const Position cursor = wait(hub.position("a"));
  wait(hub.poll("a", cursor, {.timeout = Duration::from_milliseconds(2)}));
  turns();
  EXPECT_EQ(watcher.seen, (Seen{"+a", "join a:w"}));
}

TEST(HubPoll, AsksTheAuthorizer) {
  Hub hub;
  hub.set_authorizer([](const AccessRequest& request) { return request.user == "ann"; });
  EXPECT_THROW(wait(hub.poll("a", Position(), {.user = "bob"})), HubError);
  const Position cursor = wait(hub.poll("a", Position(), {.user = "ann"})).position;
  EXPECT_THROW(wait(hub.poll("a", cursor, {.user = "bob"})), HubError);
  EXPECT_THROW(static_cast<void>(hub.poll("a", cursor, {.limit = 0})), UsageError);
}

TEST(HubPoll, ThrowsWhenTheHubIsClosedMeanwhile) {
  Hub hub;
  const Position cursor = wait(hub.position("a"));
  IOLoop::current().call_later(Duration::from_milliseconds(5), [&hub] { hub.close(); });
  EXPECT_THROW(wait(hub.poll("a", cursor)), HubError);
}

}  // namespace
}  // namespace squall::realtime
