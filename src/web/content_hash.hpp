// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace squall::web {

/// Hashes content for entity tags and versions of URLs: the first half of SHA-256, which nobody can
/// make collide, as 32 hexadecimal digits.
class ContentHash {
 public:
  ContentHash();
  ContentHash(const ContentHash&) = delete;
  ContentHash& operator=(const ContentHash&) = delete;
  ~ContentHash();

  /// To be called on the loop's thread before one is made on a thread of the executor: OpenSSL,
  /// where this is its first use, leaves state behind with the thread, and those of the pool do not
  /// end before the process.
  static void prepare();

  void update(std::string_view bytes);
  /// Once, at the end.
  [[nodiscard]] std::string hex();

  static constexpr std::size_t hex_size = 32;

 private:
  evp_md_ctx_st* context_;
};

}  // namespace squall::web
