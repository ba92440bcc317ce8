// SPDX-License-Identifier: Apache-2.0
#include "web/content_hash.hpp"

#include "base/hex.hpp"

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

void ContentHash::prepare() { static_cast<void>(algorithm()); }

void ContentHash::update(std::string_view bytes) {
  EVP_DigestUpdate(context_, bytes.data(), bytes.size());
}

std::string ContentHash::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  EVP_DigestFinal_ex(context_, digest, nullptr);
  std::string text;
  append_hex(text, {reinterpret_cast<const char*>(digest), hex_size / 2});
  return text;
}

}  // namespace squall::web
