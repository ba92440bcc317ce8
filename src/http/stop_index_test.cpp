// SPDX-License-Identifier: Apache-2.0
#include "http/stop_index.hpp"

#include "http/head_parser_testing.hpp"
#include "http/host.hpp"
#include "http/scan.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace squall::http {
namespace {

/// Uses one level after the other, where the CPU has it; puts back the one that was used.
class StopIndex : public ::testing::TestWithParam<VectorLevel> {
 protected:
  void SetUp() override {
    if (!set_vector_level(GetParam())) GTEST_SKIP() << "this CPU lacks it";
  }
  void TearDown() override { set_vector_level(before_); }

 private:
  VectorLevel before_ = vector_level();
};

INSTANTIATE_TEST_SUITE_P(Level, StopIndex, ::testing::Values(VectorLevel::sse4, VectorLevel::avx2),
                         [](const auto& level) { return std::string(to_string(level.param)); });

bool has_bit(std::uint64_t bits, std::size_t index) { return (bits >> index & 1) != 0; }

// Each in a block of exactly its size, so that AddressSanitizer sees a read past either end.
void expect_index(std::string_view text, std::size_t before) {
  const ExactBuffer buffer(text);
  const std::string_view rest = buffer.view().substr(before);
  std::vector<Stops> stops(rest.size() / 64 + 1, Stops{~0ULL, ~0ULL});
  stop_indexer()(rest.data(), rest.size(), before, stops.data());
  for (std::size_t i = 0; i < (rest.size() + 63) / 64 * 64; ++i) {
    const bool inside = i < rest.size();
    ASSERT_EQ(has_bit(stops[i / 64].name, i % 64), inside && !ascii::is(rest[i], ascii::token))
        << i;
    ASSERT_EQ(has_bit(stops[i / 64].value, i % 64), inside && !ascii::is(rest[i], ascii::value))
        << i;
  }
}

TEST_P(StopIndex, KnowsEachByteAtEachPlaceOfEachSize) {
  constexpr std::size_t befores[] = {0, 1, 5, 15, 16, 17, 31, 32, 33, 63, 64, 70};
  std::string bytes;
  for (int i = 0; i < 420; ++i) bytes += static_cast<char>(i * 89 + i / 256);  // all, out of order
  for (std::size_t size = 1; size <= 150; ++size) {
    for (const std::size_t before : befores) {
      for (std::size_t from = 0; from <= 200; from += 100) {
        SCOPED_TRACE(::testing::Message() << size << " after " << before << " from " << from);
        expect_index(std::string_view(bytes).substr(from, before + size), before);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(StopIndex, FindsWhatTheTableFinds) {
  std::string text;
  for (int line = 0; line < 120; ++line) {
    text += "Name-" + std::string(static_cast<std::size_t>(line * 7 % 90), 'n') + ": value" +
            std::string(static_cast<std::size_t>(line * 31 % 200), 'v') + "\r\n";
  }
  for (std::size_t size = text.size() - 150; size <= text.size(); ++size) {
    const ExactBuffer buffer(std::string_view(text).substr(0, size));
    const char* const begin = buffer.view().data();
    const char* const end = begin + size;
    IndexedStops stops(stop_indexer(), begin, begin, end);
    for (const char* at = begin; at != end;) {
      const char* const name_end = stops.name(at);
      ASSERT_EQ(name_end, scan::skip_class(at, end, ascii::token));
      if (name_end == end) break;
      const char* const value_end = stops.value(at, name_end + 1);
      ASSERT_EQ(value_end, scan::skip_class(name_end + 1, end, ascii::value));
      at = end - value_end < 2 ? end : value_end + 2;
    }
  }
}

TEST(VectorLevel, HasANameEach) {
  EXPECT_EQ(to_string(VectorLevel::none), "off");
  EXPECT_EQ(to_string(VectorLevel::sse4), "sse4");
  EXPECT_EQ(to_string(VectorLevel::avx2), "avx2");
}

TEST(VectorLevel, NoneNeedsNoIndexer) {
  const VectorLevel before = vector_level();
  ASSERT_TRUE(set_vector_level(VectorLevel::none));
  EXPECT_EQ(vector_level(), VectorLevel::none);
  EXPECT_EQ(stop_indexer(), nullptr);
  EXPECT_TRUE(set_vector_level(before));
  EXPECT_EQ(vector_level(), before);
}

// A plain host is only a short way to what is_authority() says.
TEST(PlainHost, IsAnAuthority) {
  const std::string front = "GET / HTTP/1.1\r\nHost: ";
  const auto is_plain = [&front](std::string_view host) {
    const ExactBuffer buffer(front + std::string(host));
    return scan::is_plain_host(buffer.view().data() + front.size(), host.size());
  };
#if defined(__SSE2__)
  for (const std::string_view host :
       {"a", "localhost", "localhost:8080", "www.example.com", "1.2.3.4:80", "exactly-16.bytes",
        "exactly17bytes.io", "a.much.longer.name.example:9999", "x:", "a:1", "A-Z.z"}) {
    EXPECT_TRUE(is_plain(host)) << host;
  }
#endif
  for (const std::string_view host :
       {"", ":80", "a:b", "a:80:80", "[::1]", "a%41", "a,b", "a b", "a@b", "a:12345",
        "33.bytes.are.too.many.for.this.it", "an.odd!one.that.is.longer.than16"}) {
    EXPECT_FALSE(is_plain(host)) << host;
  }
  for (int code = 0; code < 256; ++code) {
    for (std::size_t size = 1; size <= 34; ++size) {
      for (std::size_t place = 0; place < size; ++place) {
        for (const char other : {'a', '9', ':'}) {
          std::string host(size, 'h');
          host[size / 2] = other;
          host[place] = static_cast<char>(code);
          ASSERT_TRUE(!is_plain(host) || is_authority(host)) << host;
        }
      }
    }
  }
}

}  // namespace
}  // namespace squall::http
