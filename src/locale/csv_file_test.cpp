// SPDX-License-Identifier: Apache-2.0
#include "locale/csv_file.hpp"

#include "locale/text_encoding.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::locale {
namespace {

using namespace std::string_literals;

std::string rows(std::string_view text) {
  std::string out;
  for (CSVReader reader(text); reader.next();) {
    out += std::to_string(reader.line()) + ":";
    for (const std::string& field : reader.fields()) out += "[" + field + "]";
    if (reader.is_unfinished()) out += "!";
    out += " ";
  }
  return out;
}

struct Read {
  explicit Read(std::string_view text, std::size_t max_messages = 100)
      : messages(read_csv_file(text, max_messages, why, notes)) {}
  std::string why;
  std::vector<std::string> notes;
  std::unique_ptr<const Messages> messages;
};

TEST(CSVReaderTest, FieldsAreSplitAsPythonDoes) {
  EXPECT_EQ(rows("a,b\r\nc\n\n\"d,\",\"e\"\"f\"\r"), "1:[a][b] 2:[c] 3: 4:[d,][e\"f] ");
  EXPECT_EQ(rows("a\"b\",\"c\"d,\"\" \"e"), "1:[a\"b\"][cd][ \"e] ");
  EXPECT_EQ(rows(",\n,,"), "1:[][] 2:[][][] ");
  EXPECT_EQ(rows("\"two\r\nlines\",x\ny"), "1:[two\nlines][x] 3:[y] ");
  EXPECT_EQ(rows(""), "");
  EXPECT_EQ(rows("\"open"), "1:[open]! ");
}

TEST(CSVFileTest, RowsAreTranslations) {
  const Read read(
      "\"Hello\",\"Hallo\"\n"
      "%(n)s liked this,A %(n)s le gusta,singular\n"
      "%(n)s liked this, A %(n)s les gusta ,plural\n"
      "\xc2\xa0 trimmed\t, kurz ,unknown,more\n"
      "only one\n"
      "Hello,Hallo again,\n");
  ASSERT_TRUE(read.messages) << read.why;
  EXPECT_EQ(read.messages->find("Hello"), "Hallo again");
  EXPECT_EQ(read.messages->find("trimmed"), "kurz");
  EXPECT_EQ(read.messages->find("%(n)s liked this", "%(n)s liked this", 1), "A %(n)s le gusta");
  EXPECT_EQ(read.messages->find("%(n)s liked this", "%(n)s liked this", 2), "A %(n)s les gusta");
  EXPECT_EQ(read.messages->find("only one").data(), nullptr);
  EXPECT_EQ(read.messages->find("%(n)s liked this").data(), nullptr);
  EXPECT_TRUE(read.notes.empty());
}

TEST(CSVFileTest, RowsWithAnotherIndicatorAreLeftOutWithTheirLine) {
  const Read read("a,b\n\nx,y,many\nc,d\n");
  ASSERT_TRUE(read.messages);
  ASSERT_EQ(read.notes.size(), 1u);
  EXPECT_EQ(read.notes[0].substr(0, 14), "line 3: \"many\"");
  EXPECT_EQ(read.messages->find("c"), "d");
  EXPECT_EQ(read.messages->find("x").data(), nullptr);
}

TEST(CSVFileTest, AQuoteThatDoesNotEndRefusesTheFile) {
  const Read read("a,b\nc,\"d\ne,f\n");
  EXPECT_FALSE(read.messages);
  EXPECT_EQ(read.why, "line 2: a quote that does not end");
}

TEST(CSVFileTest, MessagesAreCounted) {
  EXPECT_TRUE(Read("a,b\nc,d\n", 2).messages);
  const Read read("a,b\nc,d\ne,f\n", 2);
  EXPECT_FALSE(read.messages);
  EXPECT_EQ(read.why, "line 3: more than 2 messages");
}

TEST(CSVFileTest, ManyMessagesAreFound) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "m" + std::to_string(i) + ",t" + std::to_string(i) + "\n";
  const Read read(text, 10'000);
  ASSERT_TRUE(read.messages);
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(read.messages->find("m" + std::to_string(i)), "t" + std::to_string(i));
  }
  EXPECT_EQ(read.messages->find("m5000").data(), nullptr);
}

TEST(TextEncodingTest, ByteOrderMarksTellTheEncoding) {
  std::string why;
  EXPECT_EQ(to_utf8("\xef\xbb\xbfh\xc3\xa9", Encoding::detect, why), "h\xc3\xa9");
  EXPECT_EQ(to_utf8("h\xc3\xa9", Encoding::detect, why), "h\xc3\xa9");
  EXPECT_EQ(to_utf8("\xff\xfeh\0\xe9\0\x3d\xd8\x00\xde"s, Encoding::detect, why),
            "h\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(to_utf8("\xfe\xff\0h\x20\xac"s, Encoding::detect, why), "h\xe2\x82\xac");
}

TEST(TextEncodingTest, NamedEncodingsAreRead) {
  std::string why;
  EXPECT_EQ(to_utf8("h\0\xe9\0"s, *encoding_of("UTF-16"), why), "h\xc3\xa9");
  EXPECT_EQ(to_utf8("\0h\0\xe9"s, *encoding_of("utf_16_be"), why), "h\xc3\xa9");
  EXPECT_EQ(to_utf8("h\xe9", *encoding_of("ISO-8859-1"), why), "h\xc3\xa9");
  EXPECT_EQ(to_utf8("h", *encoding_of("ascii"), why), "h");
  EXPECT_EQ(encoding_of(""), Encoding::detect);
  EXPECT_FALSE(encoding_of("koi8-r"));
}

TEST(TextEncodingTest, WrongBytesAreRefusedWithTheirPlace) {
  std::string why;
  EXPECT_FALSE(to_utf8("a\nb\xff", Encoding::detect, why));
  EXPECT_EQ(why, "line 2: not UTF-8");
  EXPECT_FALSE(to_utf8("\xff\xfeh"s, Encoding::detect, why));
  EXPECT_EQ(why, "byte 2: half a character of UTF-16");
  EXPECT_FALSE(to_utf8("\xff\xfe\x00\xdc"s, Encoding::detect, why));
  EXPECT_EQ(why, "byte 2: not UTF-16");
  EXPECT_FALSE(to_utf8("\xff\xfe\x00\xd8h\0"s, Encoding::detect, why));
  EXPECT_FALSE(to_utf8("\xff\xfe\x00\xd8"s, Encoding::detect, why));
  EXPECT_FALSE(to_utf8("ab\xe9", Encoding::ascii, why));
  EXPECT_EQ(why, "byte 2: not ASCII");
}

}  // namespace
}  // namespace squall::locale
