// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "base/secrets.hpp"
#include "web/argon2.hpp"

#include <squall/base/limits.hpp>
#include <squall/loop/executor.hpp>
#include <squall/web/http_error.hpp>
#include <squall/web/password.hpp>

#include <openssl/crypto.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

namespace squall::web {
namespace {

// Threads of their own: each that hashes takes as much memory as the options say, and the shared
// executor's other work shall not wait for logins.
Executor& threads() {
  static Executor executor(
      std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, limits::password_threads),
      limits::password_queue);
  return executor;
}

std::atomic<std::size_t> waiting{0};

/// A place in the queue, given back when its work begins.
class Place {
 public:
  Place() {
    if (waiting.fetch_add(1, std::memory_order_relaxed) >= limits::password_queue) {
      waiting.fetch_sub(1, std::memory_order_relaxed);
      throw HTTPError(503, "more passwords wait to be hashed than limits::password_queue");
    }
  }
  Place(Place&& other) noexcept : held_(std::exchange(other.held_, false)) {}
  Place& operator=(Place&&) = delete;
  ~Place() { give_back(); }

  void give_back() noexcept {
    if (std::exchange(held_, false)) waiting.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  bool held_ = true;
};

/// A copy that leaves no password behind in free memory.
class Password {
 public:
  explicit Password(std::string_view text) : text_(text) {}
  Password(Password&& other) : text_(other.text_) { other.wipe(); }
  Password& operator=(Password&&) = delete;
  ~Password() { wipe(); }
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  void wipe() noexcept { OPENSSL_cleanse(text_.data(), text_.size()); }
  std::string text_;
};

std::string hash_now(Place place, const Password& password, const Argon2Hash& like,
                     std::size_t size) {
  place.give_back();
  return argon2(password.text(), like, size);
}

Task<std::string> hash_on_thread(Password password, Argon2Hash hash) {
  Place place;
  hash.hash = co_await threads().run(hash_now, std::move(place), std::move(password), hash,
                                     Argon2Hash::hash_bytes);
  co_return write_argon2(hash);
}

// Without a hash, the work alone is done.
Task<bool> verify_on_thread(Password password, Argon2Hash like, bool has_hash) {
  Place place;
  const std::size_t size = has_hash ? like.hash.size() : Argon2Hash::hash_bytes;
  const std::string hash =
      co_await threads().run(hash_now, std::move(place), std::move(password), like, size);
  co_return has_hash&& equal_in_constant_time(hash, like.hash);
}

Task<bool> no_match() { co_return false; }

}  // namespace

Task<std::string> hash_password(std::string_view password, const PasswordOptions& options) {
  require_argon2();
  Argon2Hash hash = argon2_like(options);
  if (password.size() > limits::password_bytes) {
    throw HTTPError(400, "a password is longer than limits::password_bytes");
  }
  hash.salt = random_bytes(Argon2Hash::salt_bytes);
  return hash_on_thread(Password(password), std::move(hash));
}

Task<bool> verify_password(std::string_view password, std::string_view hash,
                           const PasswordOptions& options) {
  require_argon2();
  Argon2Hash like = argon2_like(options);
  if (password.size() > limits::password_bytes) return no_match();
  if (hash.empty()) {
    like.salt = random_bytes(Argon2Hash::salt_bytes);
    return verify_on_thread(Password(password), std::move(like), false);
  }
  std::optional<Argon2Hash> made = read_argon2(hash);
  if (!made) {
    log::write(log::Level::warning, "app",
               "the hash that is kept of a password is none of Argon2, or past the limits");
    return no_match();
  }
  return verify_on_thread(Password(password), std::move(*made), true);
}

bool needs_rehash(std::string_view hash, const PasswordOptions& options) {
  const Argon2Hash like = argon2_like(options);
  const std::optional<Argon2Hash> made = read_argon2(hash);
  return !made || made->variant != like.variant || made->version != like.version ||
         made->memory_kib != like.memory_kib || made->passes != like.passes ||
         made->lanes != like.lanes || made->salt.size() < Argon2Hash::salt_bytes ||
         made->hash.size() < Argon2Hash::hash_bytes;
}

}  // namespace squall::web
