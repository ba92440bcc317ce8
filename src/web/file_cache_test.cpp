// SPDX-License-Identifier: Apache-2.0
#include "web/file_cache.hpp"

#include "loop/loop_testing.hpp"
#include "web/file_testing.hpp"

#include <squall/base/limits.hpp>
#include <squall/base/log.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace squall::web {
namespace {

const std::string large(small_file_bytes + 1, 'x');
const std::string huge(300'000, 'x');

class FileCacheTest : public ::testing::Test {
 protected:
  FileCacheTest() {
    log::set_sink([](void*, log::Level, std::string_view, std::string_view) {}, nullptr);
  }
  ~FileCacheTest() override { log::set_sink(nullptr, nullptr); }

  const StaticSite& site(StaticFileOptions options = {}) {
    return StaticSite::find(directory.path(), options);
  }
  /// One that looks at the disk each time.
  const StaticSite& eager() { return site({.check_interval = Duration()}); }
  static void next_turn() {
    loop::run_until([] { return true; });
  }
  std::string text(const StaticSite& of, std::string_view path) {
    const FileCache::Found found = cache->find_waiting(of, path);
    return found.file == nullptr ? "<none>" : found.file->versions[0]->bytes;
  }

  TemporaryDirectory directory;
  FileCache::MimeTypes types{{"xyz", "text/x-own"}};
  std::shared_ptr<FileCache> cache = std::make_shared<FileCache>(loop::LoopCore::current(), types);
};

TEST_F(FileCacheTest, AFileIsLookedForOnceAnInterval) {
  const StaticSite& calm = site({.check_interval = Duration::from_seconds(3600)});
  directory.put("a.txt", "one");
  const auto first = cache->find_waiting(calm, "a.txt").file->versions[0];
  directory.replace("a.txt", "two");
  next_turn();
  EXPECT_EQ(cache->find_waiting(calm, "a.txt").file->versions[0], first);
  EXPECT_EQ(first->bytes, "one") << "whole, as it was";
  EXPECT_EQ(text(eager(), "a.txt"), "two");
  EXPECT_EQ(cache->size(), 2U);
}

TEST_F(FileCacheTest, AChangeIsSeenAndTheOldVersionStaysWhole) {
  directory.put("a.txt", "one");
  const auto first = cache->find_waiting(eager(), "a.txt").file->versions[0];
  directory.put("a.txt", "second");
  EXPECT_EQ(text(eager(), "a.txt"), "second");
  EXPECT_NE(cache->find_waiting(eager(), "a.txt").file->versions[0]->etag, first->etag);
  EXPECT_EQ(first->bytes, "one");
  ::unlink(directory.of("a.txt").c_str());
  EXPECT_EQ(cache->find_waiting(eager(), "a.txt").status, LoadStatus::missing);
  EXPECT_EQ(cache->size(), 0U);
}

TEST_F(FileCacheTest, WhatHasNotChangedIsTheSameVersion) {
  directory.put("large.bin", large);
  const auto first = cache->find_waiting(eager(), "large.bin").file->versions[0];
  EXPECT_EQ(cache->find_waiting(eager(), "large.bin").file->versions[0], first);
  EXPECT_EQ(cache->open_files(), 1U);
}

TEST_F(FileCacheTest, ALargeFileThatIsWrittenInPlaceIsSeenAtOnce) {
  const StaticSite& calm = site({.check_interval = Duration::from_seconds(3600)});
  directory.put("large.bin", large);
  const auto first = cache->find_waiting(calm, "large.bin").file->versions[0];
  directory.put("large.bin", large + "more");
  next_turn();
  const auto second = cache->find_waiting(calm, "large.bin").file->versions[0];
  EXPECT_EQ(second->stamp.size, large.size() + 4);
  EXPECT_NE(second->etag, first->etag);
  ::unlink(directory.of("large.bin").c_str());
  next_turn();
  EXPECT_EQ(cache->find_waiting(calm, "large.bin").status, LoadStatus::missing);
  EXPECT_EQ(cache->open_files(), 0U);
}

TEST_F(FileCacheTest, ADeploymentThatSwapsTheDirectoryIsSeen) {
  directory.put("v1/a.txt", "one");
  directory.put("v2/a.txt", "two");
  directory.link("v1", "current");
  const StaticSite& current =
      StaticSite::find(directory.of("current"), {.check_interval = Duration()});
  EXPECT_EQ(text(current, "a.txt"), "one");
  directory.link("v2", "next");
  std::filesystem::rename(directory.of("next"), directory.of("current"));
  EXPECT_EQ(text(current, "a.txt"), "two");
}

TEST_F(FileCacheTest, CodingsBesideAFileAreFoundUnlessTheyAreOlder) {
  directory.put("a.txt", "plain");
  directory.put("a.txt.gz", "zipped");
  directory.put("a.txt.br", "brotli");
  directory.set_modified("a.txt", 1000);
  directory.set_modified("a.txt.gz", 1000);
  directory.set_modified("a.txt.br", 999);
  const CachedFile& file = *cache->find_waiting(eager(), "a.txt").file;
  EXPECT_EQ(file.available, 0b1001U);
  EXPECT_EQ(file.versions[3]->bytes, "zipped");
  EXPECT_NE(file.versions[3]->etag, file.versions[0]->etag);
  EXPECT_EQ(cache->find_waiting(site({.precompressed = false}), "a.txt").file->available, 1U);
  ::unlink(directory.of("a.txt.gz").c_str());
  EXPECT_EQ(cache->find_waiting(eager(), "a.txt").file->available, 1U);
  EXPECT_EQ(cache->find_waiting(eager(), "a.txt.br").file->available, 1U);
}

TEST_F(FileCacheTest, ForgetsWhatWasNotUsedForLongest) {
  const StaticSite& calm = site({.precompressed = false});
  for (std::size_t i = 0; i <= limits::static_cache_files; ++i) {
    directory.put("f" + std::to_string(i), "x");
    EXPECT_EQ(cache->find_waiting(calm, "f" + std::to_string(i)).status, LoadStatus::ok);
    static_cast<void>(cache->find_waiting(calm, "f0"));  // used all the time
  }
  EXPECT_EQ(cache->size(), limits::static_cache_files);
  ::unlink(directory.of("f0").c_str());
  ::unlink(directory.of("f1").c_str());
  EXPECT_EQ(cache->find_waiting(calm, "f0").status, LoadStatus::ok) << "still known";
  EXPECT_EQ(cache->find_waiting(calm, "f1").status, LoadStatus::missing) << "it made room";
}

TEST_F(FileCacheTest, ForgetsWhatNobodyAsksFor) {
  cache =
      std::make_shared<FileCache>(loop::LoopCore::current(), types, Duration::from_milliseconds(5));
  directory.put("deleted.bin", large);
  ASSERT_EQ(cache->find_waiting(site(), "deleted.bin").status, LoadStatus::ok);
  ::unlink(directory.of("deleted.bin").c_str());
  EXPECT_EQ(cache->open_files(), 1U);
  loop::run_until([&] { return cache->open_files() == 0; });
}

TEST_F(FileCacheTest, KeepsOnlyAPartOfTheDescriptorsOpen) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{320, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  cache = std::make_shared<FileCache>(loop::LoopCore::current(), types);
  ::setrlimit(RLIMIT_NOFILE, &before);
  for (int i = 0; i < 40; ++i) {
    directory.put("f" + std::to_string(i), large);
    EXPECT_EQ(cache->find_waiting(site(), "f" + std::to_string(i)).status, LoadStatus::ok);
  }
  EXPECT_EQ(cache->open_files(), 20U);
}

TEST_F(FileCacheTest, GivesItsDescriptorsUpWhenThereAreNone) {
  directory.put("a", large);
  directory.put("b", large);
  // Once while there are some: UndefinedBehaviorSanitizer looks through a pipe at what goes.
  ASSERT_EQ(cache->find_waiting(site(), "a").status, LoadStatus::ok);
  cache = std::make_shared<FileCache>(loop::LoopCore::current(), types);
  ASSERT_EQ(cache->find_waiting(site(), "a").status, LoadStatus::ok);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const UniqueFd next(::dup(0));
  // Two more than are open now: looking for a file takes one at a time, having both takes two.
  const rlimit few{static_cast<rlim_t>(next.get()) + 1, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  const LoadStatus status = cache->find_waiting(site(), "b").status;
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(status, LoadStatus::ok);
  EXPECT_EQ(cache->size(), 1U);
}

TEST_F(FileCacheTest, TypesOfTheProgramGoFirst) {
  directory.put("a.XYZ", "");
  directory.put("a.css", "");
  EXPECT_EQ(cache->find_waiting(site(), "a.XYZ").file->content_type, "text/x-own");
  EXPECT_EQ(cache->find_waiting(site(), "a.css").file->content_type, "text/css; charset=utf-8");
}

TEST_F(FileCacheTest, AHashChangesWithTheContent) {
  directory.put("a.txt", "one");
  const auto hash = [&](std::string_view path) {
    return cache->hash_of(eager(), path, *cache->find_waiting(eager(), path).file);
  };
  const std::string first = hash("a.txt");
  EXPECT_EQ(first, "7692c3ad3540bb803c020b3aee66cd88") << "SHA-256 of \"one\"";
  directory.put("a.txt", "two!");
  EXPECT_NE(hash("a.txt"), first);
}

TEST_F(FileCacheTest, TheHashOfALargeFileIsMadeElsewhere) {
  const auto hash = [&] {
    return cache->hash_of(eager(), "large.bin", *cache->find_waiting(eager(), "large.bin").file);
  };
  directory.put("large.bin", large);
  EXPECT_EQ(hash().size(), 32U) << "this is in memory, and not much";
  directory.put("large.bin", huge);
  EXPECT_EQ(hash(), "") << "not while the loop waits";
  loop::run_until([&] { return !hash().empty(); });
  const std::string first = hash();
  EXPECT_EQ(first.size(), 32U);
  directory.put("large.bin", huge + "!");
  EXPECT_EQ(hash(), "");
  loop::run_until([&] { return !hash().empty(); });
  EXPECT_NE(hash(), first);
}

TEST_F(FileCacheTest, MayEndWhileItsWorkGoesOn) {
  directory.put("large.bin", huge);
  EXPECT_EQ(cache->hash_of(site(), "large.bin", *cache->find_waiting(site(), "large.bin").file),
            "");
  cache.reset();
  int turns = 0;
  loop::run_until([&] { return ++turns > 20; });
}

}  // namespace
}  // namespace squall::web
