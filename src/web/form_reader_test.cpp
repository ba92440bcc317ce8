// SPDX-License-Identifier: Apache-2.0
#include "web/form_reader.hpp"

#include <squall/coro/event.hpp>
#include <squall/loop/ioloop.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace squall::web {
namespace {

constexpr std::string_view type = "multipart/form-data; boundary=XX";

std::string part(std::string_view disposition, std::string_view data) {
  std::string text = "--XX\r\nContent-Disposition: form-data; ";
  return text.append(disposition).append("\r\n\r\n").append(data).append("\r\n");
}
std::string pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * i % 26);
  return text;
}

Task<> wait_for(Event& event) { co_await event.wait(Duration::from_seconds(20)); }

class FormReaderTest : public testing::Test {
 protected:
  FormReaderTest() {
    char name[] = "/tmp/squall-form-XXXXXX";
    directory_ = ::mkdtemp(name);
    options_.directory = directory_;
  }
  ~FormReaderTest() override { EXPECT_EQ(::rmdir(directory_.c_str()), 0) << "files are left"; }

  std::unique_ptr<FormReader> create() {
    Result<std::unique_ptr<FormReader>> form = FormReader::create(type, options_);
    EXPECT_TRUE(form);
    (*form)->set_notice([](void* self) noexcept { static_cast<FormReaderTest*>(self)->told(); },
                        this);
    return std::move(*form);
  }
  /// Runs the loop until nothing waits for the disk, or it failed.
  void settle(FormReader& form) {
    while (!form.is_settled() && !form.error()) {
      news_.clear();
      loop_.run_sync(wait_for(news_));
    }
  }
  void told() { news_.set(); }

  IOLoop& loop_ = IOLoop::current();
  std::string directory_;
  FormReader::Options options_;
  Event news_;
};

TEST_F(FormReaderTest, KeepsValuesAndSmallFilesInMemory) {
  const std::string body =
      part("name=\"a\"", "1") + part("name=\"a\"", "2") + part("name=b; filename=\"\"", "") +
      part("name=f; filename=\"x y.txt\"\r\nContent-Type: text/plain", "file") +
      part("name=f; filename=z", "") + "--XX--\r\n";
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    const auto form = create();
    ASSERT_TRUE(form->feed(std::string_view(body).substr(0, cut)));
    ASSERT_TRUE(form->feed(std::string_view(body).substr(cut)));
    ASSERT_TRUE(form->end());
    ASSERT_TRUE(form->is_settled());
    const FormReader::Arguments want = {{"a", "1"}, {"a", "2"}, {"b", ""}};
    ASSERT_EQ(form->arguments(), want);
    ASSERT_EQ(form->files().size(), 2U);
    const HTTPFile& file = form->files()[0];
    EXPECT_EQ(file.name, "f");
    EXPECT_EQ(file.filename, "x y.txt");
    EXPECT_EQ(file.content_type, "text/plain");
    EXPECT_EQ(file.body(), "file");
    EXPECT_EQ(file.size(), 4U);
    EXPECT_EQ(file.fd(), -1);
    EXPECT_EQ(form->files()[1].content_type, "application/unknown");
    EXPECT_EQ(form->files()[1].size(), 0U);
  }
}

TEST_F(FormReaderTest, AFilePastTheMemoryGoesToATemporaryFile) {
  const std::string data = pattern(5'000'000);
  const std::string body = part("name=small; filename=s", "small") +
                           part("name=large; filename=l", data) + part("name=v", "value") +
                           "--XX--";
  const auto form = create();
  for (std::size_t at = 0; at < body.size(); at += 100'000) {
    ASSERT_TRUE(form->feed(std::string_view(body).substr(at, 100'000)));
  }
  ASSERT_TRUE(form->end());
  EXPECT_TRUE(form->is_congested());
  settle(*form);
  EXPECT_FALSE(form->is_congested());
  EXPECT_FALSE(form->error());
  ASSERT_EQ(form->files().size(), 2U);
  EXPECT_EQ(form->files()[0].body(), "small");
  const HTTPFile file = std::move(form->files()[1]);
  EXPECT_EQ(file.size(), data.size());
  EXPECT_FALSE(file.is_in_memory());
  EXPECT_THROW(static_cast<void>(file.body()), UsageError);
  EXPECT_TRUE(loop_.run_sync(file.read(0, 10'000'000)) == data);
  EXPECT_EQ(loop_.run_sync(file.read(4'999'990, 100)), data.substr(4'999'990));
  EXPECT_EQ(loop_.run_sync(file.read(5'000'000, 100)), "");
  struct stat status {};
  ASSERT_EQ(::fstat(file.fd(), &status), 0);
  EXPECT_EQ(status.st_nlink, 0U);
  EXPECT_EQ(static_cast<std::size_t>(status.st_size), data.size());
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(FormReaderTest, FilesCanBeSavedAndReplaceOthers) {
  const std::string data = pattern(2'000'000);
  const auto form = create();
  ASSERT_TRUE(form->feed(part("name=a; filename=a", "in memory") +
                         part("name=b; filename=b", data) + "--XX--"));
  settle(*form);
  ASSERT_EQ(form->files().size(), 2U);
  const std::string path = directory_ + "/saved";
  for (int i = 0; i < 2; ++i) {
    loop_.run_sync(form->files()[1].save_to(path));
    EXPECT_TRUE(content_of(path) == data);
    loop_.run_sync(form->files()[0].save_to(path));
    EXPECT_EQ(content_of(path), "in memory");
  }
  EXPECT_EQ(::unlink(path.c_str()), 0);
  EXPECT_THROW(loop_.run_sync(form->files()[1].save_to(directory_ + "/none/x")), std::system_error);
  EXPECT_THROW(loop_.run_sync(form->files()[0].save_to(directory_)), std::system_error);
}

TEST_F(FormReaderTest, AFileOnAnotherFileSystemIsCopiedWhenItIsSaved) {
  struct stat here {};
  struct stat there {};
  if (::stat("/dev/shm", &there) != 0 || ::stat(directory_.c_str(), &here) != 0 ||
      here.st_dev == there.st_dev) {
    GTEST_SKIP() << "there is one file system only";
  }
  const std::string data = pattern(2'000'000);
  const auto form = create();
  ASSERT_TRUE(form->feed(part("name=b; filename=b", data) + "--XX--"));
  settle(*form);
  const std::string path = "/dev/shm/squall-form-test-" + std::to_string(::getpid());
  loop_.run_sync(form->files()[0].save_to(path));
  EXPECT_TRUE(content_of(path) == data);
  ::unlink(path.c_str());
}

TEST_F(FormReaderTest, MayGoWhileAWriteRuns) {
  for (int i = 0; i < 20; ++i) {
    const auto form = create();
    ASSERT_TRUE(form->feed(part("name=b; filename=b", pattern(3'000'000))));
    if (i % 2 == 0) {
      news_.clear();
      loop_.run_sync(wait_for(news_));
    }
  }
}

struct Destroys {
  std::unique_ptr<FormReader> form;
  Event gone;
};

TEST_F(FormReaderTest, MayGoInItsNotice) {
  Destroys holder;
  holder.form = create();
  holder.form->set_notice(
      [](void* context) noexcept {
        auto* const self = static_cast<Destroys*>(context);
        self->form.reset();
        self->gone.set();
      },
      &holder);
  ASSERT_TRUE(holder.form->feed(part("name=b; filename=b", pattern(9'000'000))));
  loop_.run_sync(wait_for(holder.gone));
  EXPECT_EQ(holder.form, nullptr);
}

TEST_F(FormReaderTest, TellsWhenTheDiskIsFull) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1'500'000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto form = create();
  ASSERT_TRUE(form->feed(part("name=b; filename=b", pattern(4'000'000))));
  settle(*form);
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(form->error(), UploadError::disk_full);
  EXPECT_EQ(status_for_form(form->error()), 507);
  EXPECT_FALSE(form->is_congested());
  EXPECT_EQ(form->feed("more").error(), UploadError::disk_full);
  EXPECT_EQ(form->end().error(), UploadError::disk_full);
}

TEST_F(FormReaderTest, TellsWhenThereIsNoPlaceForTemporaryFiles) {
  const std::string nowhere = directory_ + "/nowhere";
  options_.directory = nowhere;
  const auto form = create();
  ASSERT_TRUE(form->feed(part("name=b; filename=b", pattern(2'000'000)) + "--XX--"));
  settle(*form);
  EXPECT_EQ(form->error(), UploadError::disk_failed);
  EXPECT_EQ(status_for_form(form->error()), 500);
}

TEST_F(FormReaderTest, ValuesHaveLimits) {
  options_.max_value_bytes = 10;
  options_.max_values_bytes = 25;
  const std::string ten = "0123456789";
  const auto good = create();
  ASSERT_TRUE(good->feed(part("name=a", ten) + part("name=a", ten) + part("name=a", "01234") +
                         part("name=f; filename=f", ten + ten) + "--XX--"));
  const auto one = create();
  EXPECT_EQ(one->feed(part("name=a", ten + "x")).error(), UploadError::value_too_large);
  const auto all = create();
  const auto error =
      all->feed(part("name=a", ten) + part("name=a", ten) + part("name=a", "012345")).error();
  EXPECT_EQ(error, UploadError::value_too_large);
  EXPECT_EQ(status_for_form(error), 413);
}

TEST_F(FormReaderTest, TellsWhatIsMalformed) {
  EXPECT_EQ(status_for_form(FormReader::create("multipart/form-data", options_).error()), 400);
  const auto cut = create();
  ASSERT_TRUE(cut->feed(part("name=a", "value")));
  EXPECT_EQ(status_for_form(cut->end().error()), 400);
  const auto bad = create();
  EXPECT_EQ(status_for_form(bad->feed("--XX\r\n\r\n").error()), 400);
  std::string many;
  for (int i = 0; i < 101; ++i) many += part("name=a", "1");
  EXPECT_EQ(status_for_form(create()->feed(many).error()), 413);
}

}  // namespace
}  // namespace squall::web
