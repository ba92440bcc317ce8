// SPDX-License-Identifier: Apache-2.0
#include "web/file_testing.hpp"
#include "web/pieces.hpp"
#include "web/web_testing.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/task_group.hpp>
#include <squall/web/store.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

using namespace std::chrono_literals;

std::int64_t now_ms = 0;
std::int64_t test_clock() { return now_ms; }

template <class T>
T run(Task<T> task) {
  return IOLoop::current().run_sync(std::move(task));
}

TEST(Pieces, AreReadAsTheyWereWritten) {
  std::string text;
  append_piece(text, "");
  append_piece(text, "a:1,");
  append_piece(text, std::string_view("\0\xff", 2));
  EXPECT_EQ(text, std::string("0:,4:a:1,,2:\0\xff,", 15));
  std::string_view rest = text;
  std::string_view piece;
  ASSERT_TRUE(take_piece(rest, piece));
  EXPECT_EQ(piece, "");
  ASSERT_TRUE(take_piece(rest, piece));
  EXPECT_EQ(piece, "a:1,");
  ASSERT_TRUE(take_piece(rest, piece));
  EXPECT_EQ(piece, std::string_view("\0\xff", 2));
  EXPECT_FALSE(take_piece(rest, piece));
}

TEST(Pieces, AreRefusedInOtherForms) {
  for (const std::string_view text :
       {"", "1", "1:", "1:a", "1:ab", "2:a,", ":a,", "-1:a,", "99999999999999999999:a,", "x:a,",
        "18446744073709551615:a,"}) {
    std::string_view rest = text;
    std::string_view piece;
    EXPECT_FALSE(take_piece(rest, piece)) << text;
  }
  std::string_view rest = "2:1x,";
  int number = 0;
  EXPECT_FALSE(take_number_piece(rest, number));
}

/// What all stores have in common.
class StoreTest : public WebTest, public ::testing::WithParamInterface<const char*> {
 protected:
  StoreTest() { now_ms = 1'000'000'000'000; }
  void SetUp() override {
    if (GetParam() == std::string_view("memory")) {
      store_ = std::make_unique<MemoryStore>(MemoryStoreOptions{.clock = &test_clock});
    } else {
      store_ = std::make_unique<FileStore>(directory_.of("store"),
                                           FileStoreOptions{.clock = &test_clock});
    }
  }
  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
};
INSTANTIATE_TEST_SUITE_P(All, StoreTest, ::testing::Values("memory", "file"),
                         [](const auto& of) { return std::string(of.param); });

TEST_P(StoreTest, KeepsAndReplacesAndErases) {
  EXPECT_FALSE(run(store_->get("a")));
  run(store_->set("a", "1", 1s));
  run(store_->set("b", "", 1s));
  run(store_->set("a", "2", 1s));
  EXPECT_EQ(run(store_->get("a")), "2");
  EXPECT_EQ(run(store_->get("b")), "");
  run(store_->erase("a"));
  run(store_->erase("a"));
  EXPECT_FALSE(run(store_->get("a")));
  EXPECT_TRUE(run(store_->get("b")));
}

TEST_P(StoreTest, TakesAnyKeyAndAnyText) {
  const std::string all = [] {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
  }();
  const std::string keys[] = {"", "../../up", "/etc/passwd", all, std::string(10'000, 'k'), ".."};
  for (const std::string& key : keys) run(store_->set(key, key + "!", 1s));
  for (const std::string& key : keys) EXPECT_EQ(*run(store_->get(key)), key + "!");
  const std::string longest(limits::store_value_bytes, 'x');
  run(store_->set("long", longest, 1s));
  EXPECT_EQ(*run(store_->get("long")), longest);
}

TEST_P(StoreTest, ATextIsGoneWhenItsTimeIsOver) {
  run(store_->set("short", "1", 2s));
  run(store_->set("long", "2", 3s));
  now_ms += 1999;
  EXPECT_TRUE(run(store_->get("short")));
  now_ms += 1;
  EXPECT_FALSE(run(store_->get("short")));
  EXPECT_TRUE(run(store_->get("long")));
  run(store_->set("long", "3", 1s));  // a shorter one counts from now on
  now_ms += 1000;
  EXPECT_FALSE(run(store_->get("long")));
}

TEST_P(StoreTest, WhatCannotBeKeptIsAMisuse) {
  EXPECT_THROW(run(store_->set("a", "1", 0s)), UsageError);
  EXPECT_THROW(run(store_->set("a", "1", -1s)), UsageError);
  EXPECT_THROW(run(store_->set("a", std::string(limits::store_value_bytes + 1, 'x'), 1s)),
               UsageError);
  EXPECT_FALSE(run(store_->get("a")));
}

TEST(MemoryStoreTest, WhatWasNotUsedForLongestMakesRoom) {
  now_ms = 0;
  MemoryStore store({.max_entries = 2, .clock = &test_clock});
  run(store.set("a", "1", 9s));
  run(store.set("b", "2", 9s));
  EXPECT_TRUE(run(store.get("a")));
  run(store.set("c", "3", 9s));
  EXPECT_TRUE(run(store.get("a")));
  EXPECT_FALSE(run(store.get("b")));
  EXPECT_TRUE(run(store.get("c")));
  EXPECT_EQ(store.size(), 2U);
}

TEST(MemoryStoreTest, WhatIsOverMakesRoomFirst) {
  now_ms = 0;
  MemoryStore store({.max_entries = 2, .clock = &test_clock});
  run(store.set("a", "1", 9s));
  run(store.set("b", "2", 1s));
  now_ms = 1000;
  run(store.set("c", "3", 9s));
  EXPECT_TRUE(run(store.get("a")));
  EXPECT_TRUE(run(store.get("c")));
}

TEST(MemoryStoreTest, BytesHaveALimit) {
  MemoryStore store({.max_bytes = 10'000});
  for (int i = 0; i < 100; ++i) run(store.set(std::to_string(i), std::string(3000, 'x'), 9s));
  EXPECT_EQ(store.size(), 3U);
  EXPECT_TRUE(run(store.get("99")));
}

using FullMemoryStoreTest = WebTest;
TEST_F(FullMemoryStoreTest, SaysSoOnceInAWhile) {
  now_ms = 0;
  MemoryStore store({.max_entries = 1, .clock = &test_clock});
  for (int i = 0; i < 10; ++i) run(store.set(std::to_string(i), "", 900s));
  const std::string first = log_text();
  EXPECT_NE(first.find("1 entries"), std::string::npos) << first;
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 1);
  now_ms = 60'000;
  run(store.set("x", "", 900s));
  EXPECT_NE(log_text().find("9 entries"), std::string::npos) << log_text();
}

class FileStoreTest : public WebTest {
 protected:
  FileStoreTest() { now_ms = 1'000'000'000'000; }
  [[nodiscard]] std::string path() const { return directory_.of("store"); }
  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path())) {
      static_cast<void>(entry);
      ++count;
    }
    return count;
  }
  TemporaryDirectory directory_;
};

TEST_F(FileStoreTest, IsForItsUserOnly) {
  const mode_t before = ::umask(0);
  FileStore store(path());
  run(store.set("a", "1", 9s));
  ::umask(before);
  EXPECT_EQ(std::filesystem::status(path()).permissions(), std::filesystem::perms::owner_all);
  for (const auto& entry : std::filesystem::directory_iterator(path())) {
    EXPECT_EQ(entry.status().permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  std::filesystem::permissions(path(), std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_THROW(FileStore{path()}, UsageError);
  EXPECT_THROW(FileStore{directory_.of("no/where")}, std::system_error);
}

TEST_F(FileStoreTest, OutlivesItsProcessAndIsShared) {
  FileStore first(path());
  run(first.set("a", "1", 9s));
  FileStore second(path());
  EXPECT_EQ(run(second.get("a")), "1");
  run(second.set("a", "2", 9s));
  EXPECT_EQ(run(first.get("a")), "2");
  run(first.erase("a"));
  EXPECT_FALSE(run(second.get("a")));
}

TEST_F(FileStoreTest, AFileThatIsNoEntryIsNotRead) {
  FileStore store(path());
  run(store.set("a", "1", 9s));
  std::string name;
  for (const auto& entry : std::filesystem::directory_iterator(path())) name = entry.path();
  for (const char* const text : {"", "1:9", "13:9999999999999,1:b,1:1,", "13:9999999999999,1:a,"}) {
    std::ofstream(name, std::ios::trunc) << text;
    EXPECT_FALSE(run(store.get("a"))) << text;
  }
  EXPECT_NE(log_text().find("is no entry"), std::string::npos);
  std::ofstream(name, std::ios::trunc) << "13:9999999999999,1:a,1:1,";
  EXPECT_EQ(run(store.get("a")), "1");
  std::filesystem::remove(name);
  std::filesystem::create_symlink("/etc/hostname", name);
  EXPECT_THROW(static_cast<void>(run(store.get("a"))), std::system_error);
}

TEST_F(FileStoreTest, RemovesWhatIsOver) {
  FileStore store(path(), {.clock = &test_clock});
  run(store.set("a", "1", 1s));
  run(store.set("b", "2", 3600s));
  std::ofstream(path() + "/notes.txt") << "somebody's";
  now_ms += 1000;
  EXPECT_EQ(files(), 3U);
  run(store.sweep());
  EXPECT_EQ(files(), 2U);
  EXPECT_TRUE(run(store.get("b")));
  run(store.set("c", "3", 1s));
  now_ms += 10 * 60'000;
  run(store.set("d", "4", 1s));  // sweeps by itself
  EXPECT_EQ(files(), 3U);
}

TEST_F(FileStoreTest, HasALimit) {
  FileStore store(path(), {.max_entries = 3, .clock = &test_clock});
  for (const char* const key : {"a", "b", "c"}) run(store.set(key, "1", 5s));
  run(store.erase("b"));
  run(store.set("d", "1", 5s));
  EXPECT_THROW(run(store.set("e", "1", 5s)), Error);
  run(store.set("a", "2", 5s));  // what is there may be replaced
  now_ms += 10'000;              // the others' time is over: it looks again
  run(store.set("e", "1", 5s));
  EXPECT_EQ(files(), 1U);
}

Task<> write_often(FileStore* store, char what, int times) {
  for (int i = 0; i < times; ++i) {
    std::string text(100'000, what);
    Task<> setting = store->set("shared", std::move(text), 9s);
    co_await setting;
  }
}
Task<> read_often(FileStore* store, int times) {
  for (int i = 0; i < times; ++i) {
    Task<OptionalString> getting = store->get("shared");
    const OptionalString text = co_await getting;
    if (!text) continue;  // not yet
    EXPECT_EQ(text->size(), 100'000U);
    EXPECT_EQ(text->find_first_not_of(text->front()), std::string::npos);
  }
}
Task<> all_at_once(FileStore* store) {
  TaskGroup group;
  group.spawn(write_often(store, 'a', 50));
  group.spawn(write_often(store, 'b', 50));
  group.spawn(read_often(store, 100));
  group.spawn(read_often(store, 100));
  co_await group.join();
}

TEST_F(FileStoreTest, NobodyReadsHalfAText) {
  FileStore store(path());
  IOLoop::current().run_sync(all_at_once(&store));
  EXPECT_EQ(files(), 1U);
}

}  // namespace
}  // namespace squall::web
