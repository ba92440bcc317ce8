// SPDX-License-Identifier: Apache-2.0
#include "locale/mo_file.hpp"

#include "locale/locale_testing.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace squall::locale {
namespace {

using namespace std::string_literals;

const std::string head =
    "Project-Id-Version: x\nContent-Type: text/plain; charset=UTF-8\n"
    "Plural-Forms: nplurals=3; plural=n==1 ? 0 : n==2 ? 1 : 2;\n";

Texts sample() {
  return {{"", head},
          {"Hello", "Ol\xc3\xa1"},
          {"law\x04right", "direito"},
          {"club\0clubs"s, "one\0two\0many"s},
          {"stick\x04"
           "club\0clubs"s,
           "stick one\0stick two\0stick many"s},
          {"untranslated", ""}};
}

struct Read {
  explicit Read(std::string bytes, std::size_t max_messages = 100)
      : messages(read_mo_file(std::move(bytes), max_messages, why, note)) {}
  std::string why;
  std::string note;
  std::unique_ptr<const Messages> messages;
};

std::string refusal(std::string bytes) {
  const Read read(std::move(bytes));
  EXPECT_FALSE(read.messages);
  return read.why;
}

TEST(MoFileTest, BothByteOrdersAreRead) {
  for (const bool big_endian : {false, true}) {
    const Read read(mo_file(sample(), big_endian));
    ASSERT_TRUE(read.messages) << read.why;
    const Messages& messages = *read.messages;
    EXPECT_EQ(messages.find("Hello"), "Ol\xc3\xa1");
    EXPECT_EQ(messages.find("club", "clubs", 1), "one");
    EXPECT_EQ(messages.find("club", "clubs", 2), "two");
    EXPECT_EQ(messages.find("club", "clubs", 0), "many");
    EXPECT_EQ(messages.find("club", "clubs", -2), "two");
    EXPECT_EQ(messages.find_in("law", "right"), "direito");
    EXPECT_EQ(messages.find_in("stick", "club", "clubs", 5), "stick many");
    EXPECT_EQ(messages.find("club"), "one");
    EXPECT_EQ(read.note, "");
  }
}

TEST(MoFileTest, WhatIsNotThereHasNoTranslation) {
  const Read read(mo_file(sample()));
  const Messages& messages = *read.messages;
  EXPECT_EQ(messages.find("Good bye").data(), nullptr);
  EXPECT_EQ(messages.find("untranslated").data(), nullptr);
  EXPECT_EQ(messages.find("right").data(), nullptr);
  EXPECT_EQ(messages.find_in("good", "right").data(), nullptr);
  EXPECT_EQ(messages.find_in("la", "w\x04right").data(), nullptr);
  EXPECT_EQ(messages.find("Hello", "Hellos", 1).data(), nullptr);
  EXPECT_EQ(messages.find("").data(), nullptr);  // the head is no message
  EXPECT_EQ(messages.find_in("nobody", "club", "clubs", 2), "two");
}

TEST(MoFileTest, FormsThatAreMissingHaveNoTranslation) {
  const Read read(mo_file({{"", head}, {"club\0clubs"s, "one\0two"s}}));
  EXPECT_EQ(read.messages->find("club", "clubs", 2), "two");
  EXPECT_EQ(read.messages->find("club", "clubs", 3).data(), nullptr);
}

TEST(MoFileTest, CharsetsOtherThanUTF8AreRefused) {
  const auto with = [](const std::string& charset) {
    return mo_file({{"", "content-type: text/plain; charset=" + charset + "\n"}, {"a", "b"}});
  };
  for (const std::string known : {"UTF-8", "utf-8", "US-ASCII", "ASCII", "utf8"}) {
    EXPECT_TRUE(Read(with(known)).messages) << known;
  }
  EXPECT_EQ(refusal(with("ISO-8859-1")),
            "its charset is \"ISO-8859-1\": make it UTF-8, with msgconv --to-code=UTF-8");
  EXPECT_TRUE(Read(mo_file({{"a", "b"}})).messages);  // without a head
}

TEST(MoFileTest, TextThatIsNotUTF8IsRefused) {
  EXPECT_NE(refusal(mo_file({{"a", "\xe9"}})).find("text 1 is not UTF-8"), std::string::npos);
}

TEST(MoFileTest, BadPluralFormsRefuseTheFile) {
  EXPECT_NE(refusal(mo_file({{"", "Plural-Forms: nplurals=2; plural=n;\n"}})).find("none of the 2"),
            std::string::npos);
}

TEST(MoFileTest, DamagedFilesAreRefusedWithThePlace) {
  const std::string good = mo_file(sample());
  EXPECT_EQ(refusal(""), "it is too short to be a .mo file");
  EXPECT_EQ(refusal(std::string(100, 'x')), "it is not a .mo file: the first bytes are others");
  std::string bad = good;
  bad.replace(4, 4, mo_number(2U << 16));
  EXPECT_EQ(refusal(bad), "byte 4: revision 2 of the format is not known");
  bad = good;
  bad.replace(12, 4, mo_number(0xfffffff0));
  EXPECT_EQ(refusal(bad), "byte 12: the table of texts ends behind the file");
  bad = good;
  bad.replace(8, 4, mo_number(0xffffffff));
  EXPECT_EQ(refusal(bad), "it has 4294967295 messages; 100 are allowed");
  bad = good;
  bad.replace(28, 4, mo_number(0xffffffff));
  EXPECT_EQ(refusal(bad), "byte 28: text 1 does not end within the file");
  // Cut anywhere, it is refused; nothing is read past its end.
  for (std::size_t size = 0; size < good.size(); ++size) refusal(good.substr(0, size));
}

TEST(MoFileTest, AnyByteMayBeWrong) {
  const std::string good = mo_file(sample());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int bits : {0x01, 0x80, 0xff}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ bits);
      const Read read(bad);
      ASSERT_TRUE(read.messages != nullptr || !read.why.empty());
      if (read.messages) static_cast<void>(read.messages->find("club", "clubs", 7));
    }
  }
}

TEST(MoFileTest, MessagesAreCounted) {
  EXPECT_TRUE(Read(mo_file({{"a", "b"}, {"c", "d"}}), 2).messages);
  EXPECT_FALSE(Read(mo_file({{"a", "b"}, {"c", "d"}}), 1).messages);
}

TEST(MoFileTest, MessagesThatDependOnTheMachineAreLeftOutAndTold) {
  std::string bytes = mo_file({{"a", "b"}});
  bytes.replace(4, 4, mo_number(1));    // revision 0.1
  bytes.replace(12, 4, mo_number(48));  // the tables move behind the longer head
  bytes.replace(16, 4, mo_number(56));
  bytes.replace(28, 16, mo_number(1) + mo_number(0) + mo_number(7) + mo_number(0));
  bytes.resize(44);
  bytes += mo_number(0) + mo_number(1) + mo_number(64) + mo_number(1) + mo_number(66) + "a\0b\0"s;
  const Read read(bytes);
  ASSERT_TRUE(read.messages) << read.why;
  EXPECT_EQ(read.messages->find("a"), "b");
  EXPECT_EQ(read.note, "7 messages with numbers of C's inttypes.h are left out");
}

}  // namespace
}  // namespace squall::locale
