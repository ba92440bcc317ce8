// SPDX-License-Identifier: Apache-2.0
#include "web/choose_sibling.hpp"

#include "http/content_coding.hpp"

#include <array>

namespace squall::web {

std::size_t choose_sibling(const http::RequestHead& head, unsigned available) noexcept {
  std::array<http::ContentCoding, variant_count> codings;
  std::size_t count = 0;
  for (std::size_t variant = 1; variant < variant_count; ++variant) {
    if ((available & (1U << variant)) != 0) {
      codings[count++] = variants[variant].coding;
    }
  }
  codings[count++] = http::ContentCoding::identity;
  const auto chosen = http::AcceptEncoding(head).choose({codings.data(), count});
  // Nothing that is acceptable: RFC 9110 §12.5.3 lets the file itself go.
  if (!chosen) return 0;
  for (std::size_t variant = 1; variant < variant_count; ++variant) {
    if (*chosen == variants[variant].coding) return variant;
  }
  return 0;
}

}  // namespace squall::web
