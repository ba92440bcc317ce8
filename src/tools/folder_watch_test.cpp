// SPDX-License-Identifier: Apache-2.0
#include "tools/folder_watch.hpp"

#include <squall/coro/event.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace squall::tools {
namespace {

namespace fs = std::filesystem;

TEST(ChangeOf, AsksForWhatTheFileIsReadBy) {
  for (const char* const name : {"a.cpp", "a.hpp", "a.h", "a.cc", "CMakeLists.txt", "x.cmake"}) {
    EXPECT_EQ(change_of(name), Change::source) << name;
  }
  for (const char* const name : {"a.html", "de.mo", "de.csv", "shop.conf"}) {
    EXPECT_EQ(change_of(name), Change::restart) << name;
  }
  for (const char* const name : {"a.css", "a.js", "a.svg"}) {
    EXPECT_EQ(change_of(name), Change::page) << name;
  }
  for (const char* const name : {"", "a", ".a.cpp", ".a.cpp.swp", ".#a.cpp", "#a.cpp#", "a.cpp~",
                                 "4913", "a.db", "a.o", "a.log", "notes.txt"}) {
    EXPECT_EQ(change_of(name), Change::none) << name;
  }
}

TEST(IsSourceFolder, LeavesOutWhatIsBuiltFetchedOrHidden) {
  for (const char* const name : {"src", "builder", "static"}) EXPECT_TRUE(is_source_folder(name));
  for (const char* const name :
       {"build", "build-asan", "cmake-build-debug", ".git", "node_modules", "__pycache__"}) {
    EXPECT_FALSE(is_source_folder(name)) << name;
  }
}

struct FolderWatchTest : testing::Test {
  FolderWatchTest() {
    std::string name = (fs::temp_directory_path() / "squall-watch-XXXXXX").string();
    root = ::mkdtemp(name.data());
  }
  ~FolderWatchTest() override { fs::remove_all(root); }

  void write(const std::string& name) {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << "text";
  }
  Change next() {
    IOLoop::current().run_sync(wait(), Duration::from_seconds(20));
    changed.clear();
    return last;
  }
  Task<> wait() { co_await changed.wait(); }

  fs::path root;
  Event changed;
  Change last = Change::none;
  int calls = 0;
  std::function<void(Change)> note = [this](Change change) {
    last = change;
    ++calls;
    changed.set();
  };
};

TEST_F(FolderWatchTest, TellsTheStrongestOfChangesThatComeTogether) {
  fs::create_directory(root / "src");
  FolderWatch watch({root.string()}, note);
  write("src/site.css");
  write("src/main.cpp");
  write("src/page.html");
  EXPECT_EQ(next(), Change::source);
  EXPECT_EQ(calls, 1);
}

TEST_F(FolderWatchTest, SeesFilesThatAreReplacedMovedAndDeleted) {
  write("a.css");
  write("a.tmp");
  FolderWatch watch({root.string()}, note);
  fs::rename(root / "a.tmp", root / "a.cpp");
  EXPECT_EQ(next(), Change::source);
  fs::remove(root / "a.css");
  EXPECT_EQ(next(), Change::page);
  fs::rename(root / "a.cpp", root / "a.txt");
  EXPECT_EQ(next(), Change::source);
}

TEST_F(FolderWatchTest, FollowsFoldersThatComeWithWhatIsInThemAndThatMove) {
  FolderWatch watch({root.string()}, note);
  write("one/two/three/a.cpp");
  EXPECT_EQ(next(), Change::source);
  write("one/two/three/b.css");
  EXPECT_EQ(next(), Change::page);
  fs::rename(root / "one/two", root / "moved");
  EXPECT_EQ(next(), Change::source);  // what is in it may be built
  write("moved/three/c.css");
  EXPECT_EQ(next(), Change::page);
}

TEST_F(FolderWatchTest, DoesNotLookWhereThingsAreBuilt) {
  write("out/CMakeCache.txt");
  write("out/sub/x.cpp");
  fs::create_directories(root / "build/sub");
  fs::create_directories(root / ".git");
  FolderWatch watch({root.string()}, note);
  EXPECT_EQ(watch.size(), 1u);
}

TEST_F(FolderWatchTest, NamesAFolderThatIsNotThere) {
  try {
    FolderWatch watch({(root / "nowhere").string()}, note);
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("nowhere"), std::string::npos);
  }
}

}  // namespace
}  // namespace squall::tools
