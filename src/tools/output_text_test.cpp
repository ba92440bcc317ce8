// SPDX-License-Identifier: Apache-2.0
#include "tools/output_text.hpp"

#include <gtest/gtest.h>

namespace squall::tools {
namespace {

using Keep = OutputText::Keep;

std::string shown(std::string_view bytes) {
  OutputText text(Keep::first, 1000);
  for (const char c : bytes) text.add({&c, 1});
  return text.text();
}

TEST(OutputText, LeavesOutColoursAndOtherControls) {
  EXPECT_EQ(shown("\033[1;31merror\033[0m: x\a\r\n\ty\033(B\n"), "error: x\n\tyB\n");
  EXPECT_EQ(shown("end\033["), "end\n");
  EXPECT_EQ(shown("end\033"), "end\n");
}

TEST(OutputText, LeavesOutTheProgressOfBuilds) {
  EXPECT_EQ(shown("[3/19] Building x\n[ 33%] Building y\nerror\n"), "error\n");
  EXPECT_EQ(shown("[-Werror=shadow]\n[]\n["), "[-Werror=shadow]\n[]\n[\n");
}

TEST(OutputText, IsUtf8WhateverWasWritten) {
  EXPECT_EQ(shown("gr\xC3\xBC\xC3\x9F\nb\xC3(d\n"), "gr\xC3\xBC\xC3\x9F\nb?(d\n");
}

TEST(OutputText, OfABuildTheBeginningIsKept) {
  OutputText text(Keep::first, 8);
  text.add("first\n");
  text.add("second\n");
  text.add("third\n");
  EXPECT_EQ(text.text(), "first\nse\n[...]\n");
}

TEST(OutputText, OfAProgramTheEndIsKept) {
  OutputText text(Keep::last, 8);
  text.add("first\n");
  text.add("second\n");
  EXPECT_EQ(text.text(), "[...]\n\nsecond\n");
}

}  // namespace
}  // namespace squall::tools
