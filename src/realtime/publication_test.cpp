// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/realtime/publication.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace squall::realtime {
namespace {

struct Text : EncodedForm {
  explicit Text(std::string what) : text(std::move(what)) { ++alive; }
  ~Text() override { --alive; }
  std::string text;
  static inline std::atomic<int> alive{0};
};

EncodedForm* in_brackets(const Publication& publication, const void*) {
  return new Text("[" + std::string(publication.data()) + "]");
}

TEST(Publication, KeepsCopiesOfAllItsParts) {
  std::string data = "hello";
  PublicationFields fields;
  fields.key = "k";
  fields.binary = true;
  fields.user = "ann";
  const PublicationRef one = Publication::create("chat:1", data, fields);
  data = "xxxxx";
  EXPECT_EQ(one->channel(), "chat:1");
  EXPECT_EQ(one->data(), "hello");
  EXPECT_EQ(one->key(), "k");
  EXPECT_EQ(one->client(), "");
  EXPECT_EQ(one->user(), "ann");
  EXPECT_TRUE(one->is_binary());
  EXPECT_TRUE(one->position().is_empty());
  EXPECT_THROW(static_cast<void>(Publication::create(std::string(70000, 'x'), "")), UsageError);
}

TEST(Publication, AFormIsMadeOnceAndGoesWithIt) {
  {
    const PublicationRef one = Publication::create("c", "data");
    const EncodedForm& form = one->encoded(Publication::json_slot, &in_brackets);
    EXPECT_EQ(static_cast<const Text&>(form).text, "[data]");
    EXPECT_EQ(&one->encoded(Publication::json_slot, &in_brackets), &form);
    EXPECT_NE(&one->encoded(Publication::user_slot, &in_brackets), &form);
    EXPECT_EQ(Text::alive, 2);
    EXPECT_THROW(one->encoded(Publication::slot_count, &in_brackets), UsageError);
  }
  EXPECT_EQ(Text::alive, 0);
}

TEST(Publication, ThreadsThatAskAtOnceGetTheSameForm) {
  for (int round = 0; round < 200; ++round) {
    const PublicationRef one = Publication::create("c", "data");
    std::vector<const EncodedForm*> seen(4);
    std::vector<std::thread> threads;
    for (const EncodedForm*& place : seen) {
      threads.emplace_back([&place, share = one] {
        place = &share->encoded(Publication::websocket_slot, &in_brackets);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const EncodedForm* const form : seen) EXPECT_EQ(form, seen.front());
    EXPECT_EQ(Text::alive, 1);
  }
}

}  // namespace
}  // namespace squall::realtime
