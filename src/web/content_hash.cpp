// SPDX-License-Identifier: Apache-2.0
#include "web/content_hash.hpp"

#include <openssl/evp.h>

#include <new>

namespace squall::web {
namespace {

// Fetched once: OpenSSL 3 looks an algorithm up by its name otherwise, which costs more than the
// hash of a short text.
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

}  // namespace

ContentHash::ContentHash() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr || EVP_DigestInit_ex2(context_, algorithm(), nullptr) != 1) {
    EVP_MD_CTX_free(context_);
    throw std::bad_alloc();
  }
}

ContentHash::~ContentHash() { EVP_MD_CTX_free(context_); }

void ContentHash::update(std::string_view bytes) {
  EVP_DigestUpdate(context_, bytes.data(), bytes.size());
}

std::string ContentHash::hex() {
  static constexpr char digits[] = "0123456789abcdef";
  unsigned char digest[EVP_MAX_MD_SIZE];
  EVP_DigestFinal_ex(context_, digest, nullptr);
  std::string text(hex_size, '0');
  for (std::size_t i = 0; i < hex_size; i += 2) {
    text[i] = digits[digest[i / 2] >> 4];
    text[i + 1] = digits[digest[i / 2] & 15];
  }
  return text;
}

}  // namespace squall::web
