// SPDX-License-Identifier: Apache-2.0
#include "http/mime.hpp"

#include <gtest/gtest.h>

#include <string>

namespace squall::http {
namespace {

TEST(MimeType, GoesByTheExtension) {
  struct {
    const char* path;
    const char* type;
  } const table[] = {
      {"index.html", "text/html; charset=utf-8"},
      {"/static/a.b/app.JS", "text/javascript; charset=utf-8"},
      {"a.mjs", "text/javascript; charset=utf-8"},
      {"a.css", "text/css; charset=utf-8"},
      {"a.json", "application/json; charset=utf-8"},
      {"a.svg", "image/svg+xml; charset=utf-8"},
      {"a.xml", "application/xml; charset=utf-8"},
      {"a.txt", "text/plain; charset=utf-8"},
      {"a.png", "image/png"},
      {"a.wasm", "application/wasm"},
      {"a.woff2", "font/woff2"},
      {"a.tar.gz", "application/gzip"},
      {"a.webmanifest", "application/manifest+json; charset=utf-8"},
      {"a.3gp", "video/3gpp"},
      {"a.zst", "application/zstd"},
      {"a.ttl", "text/turtle; charset=utf-8"},
      {"a.MKA", "audio/x-matroska"},
  };
  for (const auto& row : table) EXPECT_EQ(mime_type(row.path), row.type) << row.path;
}

TEST(MimeType, IsBytesForTheRest) {
  for (const char* path :
       {"", "/", "a", "html", ".html", "/x/.html", "a.", "a.html/", "a.html/b", "a.unknown",
        "a.htm l", "a.averyveryverylongextension", "a.0", "a.zzz"}) {
    EXPECT_EQ(mime_type(path), "application/octet-stream") << path;
  }
}

}  // namespace
}  // namespace squall::http
