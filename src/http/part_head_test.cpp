// SPDX-License-Identifier: Apache-2.0
#include "http/part_head.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace squall::http {
namespace {

std::string parsed(std::string_view value) {
  ContentDisposition disposition;
  if (!parse_content_disposition(value, disposition)) return "malformed";
  std::string text(disposition.type);
  if (disposition.has_name) text += "|" + disposition.name;
  if (disposition.has_filename) text += "|file " + disposition.filename;
  return text;
}

TEST(ContentDisposition, IsReadAsClientsWriteIt) {  // RFC 7578 §4.2
  struct {
    std::string_view value, want;
  } const table[] = {
      {"form-data; name=\"field1\"", "form-data|field1"},
      {"form-data; name=field1", "form-data|field1"},
      {"Form-Data;NAME=\"a\";FileName=\"b\"", "Form-Data|a|file b"},
      {"form-data; name=\"\"", "form-data|"},
      {"form-data; name=\"a\"; filename=\"\"", "form-data|a|file "},
      {"form-data", "form-data"},
      {"attachment; filename=x.txt", "attachment|file x.txt"},
      // Browsers, by the HTML standard.
      {R"(form-data; name="a%22b"; filename="x%0D%0Ay%22.txt")",
       "form-data|a\"b|file x\r\ny\".txt"},
      {R"(form-data; name="a"; filename="100%25 %41.txt")", "form-data|a|file 100%25 %41.txt"},
      {R"(form-data; name="a"; filename="x%2")", "form-data|a|file x%2"},
      {"form-data; name=\"a\"; filename=\"\xc3\xa9.txt\"", "form-data|a|file \xc3\xa9.txt"},
      // curl of old, and other users of quoted-pairs.
      {R"(form-data; name="a"; filename="x\"y\\z")", "form-data|a|file x\"y\\z"},
      // Internet Explorer.
      {R"(form-data; name="a"; filename="C:\temp\new.txt")", R"(form-data|a|file C:\temp\new.txt)"},
      {R"(form-data; name="a"; filename="C:\temp\")", R"(form-data|a|file C:\temp\)"},
      // Others that follow RFC 8187.
      {"form-data; name=\"a\"; filename*=UTF-8''na%C3%AFve%20file.txt",
       "form-data|a|file na\xc3\xafve file.txt"},
      {"form-data; name=\"a\"; filename=\"plain\"; filename*=utf-8'en'better",
       "form-data|a|file better"},
      {"form-data; name=\"a\"; filename*=utf-8''better; filename=\"plain\"",
       "form-data|a|file better"},
      {"form-data; name=\"a\"; filename*=ISO-8859-1''%A3%20rates",
       "form-data|a|file \xc2\xa3 rates"},
      {"form-data; name=\"a\"; filename*=\"UTF-8''quoted\"", "form-data|a|file quoted"},
      // One that is malformed is passed over.
      {"form-data; name=\"a\"; filename*=UTF-8''%ff; filename=\"plain\"", "form-data|a|file plain"},
      {"form-data; name=\"a\"; filename*=koi8-r''x; filename=\"plain\"", "form-data|a|file plain"},
      {"form-data; name=\"a\"; filename*=plain", "form-data|a"},
      {"form-data; name=\"a\"; filename*=UTF-8''x%00.txt", "form-data|a"},
  };
  for (const auto& row : table) EXPECT_EQ(parsed(row.value), row.want) << row.value;
}

TEST(ContentDisposition, IsRefusedWhenItIsNone) {
  for (const std::string_view value :
       {"", "; name=a", "form data; name=a", "form-data; name=\"a\"; name=\"b\"",
        "form-data; name=\"a\"; filename=x; filename=y", "form-data; name=\"a", "form-data name=a",
        "form-data; name=\"a\"; filename*=UTF-8''x; filename*=UTF-8''y"}) {
    EXPECT_EQ(parsed(value), "malformed") << value;
  }
}

}  // namespace
}  // namespace squall::http
