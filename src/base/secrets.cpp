// SPDX-License-Identifier: Apache-2.0
#include "base/secrets.hpp"

#include <squall/base/error.hpp>

#include <climits>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace squall {
namespace {

std::string hmac(const EVP_MD* hash, std::string_view key, std::string_view message) {
  if (key.size() > INT_MAX) throw UsageError("a key of more than 2 GiB");
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  // Without a pointer, HMAC() would take the key of an earlier call.
  const char* const start = key.data() != nullptr ? key.data() : "";
  if (HMAC(hash, start, static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest,
           &size) == nullptr) {
    throw Error("OpenSSL computes no HMAC");
  }
  return {reinterpret_cast<const char*>(digest), size};
}

std::string digest(const EVP_MD* hash, std::string_view message) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(message.data(), message.size(), bytes, &size, hash, nullptr) != 1) {
    throw Error("OpenSSL computes no hash of this kind");
  }
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

std::string sha256(std::string_view message) { return digest(EVP_sha256(), message); }
std::string md5(std::string_view message) { return digest(EVP_md5(), message); }

std::string hmac_sha256(std::string_view key, std::string_view message) {
  return hmac(EVP_sha256(), key, message);
}
std::string hmac_sha1(std::string_view key, std::string_view message) {
  return hmac(EVP_sha1(), key, message);
}

bool equal_in_constant_time(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

void fill_randomly(std::span<char> bytes) {
  if (bytes.size() > INT_MAX || RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                                           static_cast<int>(bytes.size())) != 1) {
    throw Error("the system gives no random numbers");
  }
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  fill_randomly(bytes);
  return bytes;
}

}  // namespace squall
