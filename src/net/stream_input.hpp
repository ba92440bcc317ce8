// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace squall::net::detail {

/// What a stream has received and nobody has read.
///
/// While the loop reports bytes they are looked at where they lie; only what is left over then is
/// kept in a buffer of the stream's own.
class StreamInput {
 public:
  [[nodiscard]] std::string_view unread() const noexcept {
    return fresh_.empty() ? std::string_view(kept_).substr(taken_) : fresh_;
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return fresh_.empty() ? kept_.size() - taken_ : fresh_.size();
  }

  /// Bytes that stay where they are until keep().
  void arrive(std::span<char> bytes) {
    if (kept_.empty()) {
      fresh_ = std::string_view(bytes.data(), bytes.size());
    } else {
      kept_.append(bytes.data(), bytes.size());
    }
  }
  /// The first bytes of all, from elsewhere.
  void preload(std::string_view bytes) { kept_ = bytes; }
  void keep() {
    if (fresh_.empty()) return;
    kept_.assign(fresh_);
    fresh_ = {};
  }

  void consume(std::size_t bytes) noexcept {
    if (!fresh_.empty()) {
      fresh_.remove_prefix(bytes);
      return;
    }
    taken_ += bytes;
    if (taken_ == kept_.size()) {
      taken_ = 0;
      if (kept_.capacity() > idle_bytes) {
        std::string().swap(kept_);
      } else {
        kept_.clear();
      }
    } else if (taken_ > kept_.size() / 2) {
      kept_.erase(0, taken_);
      taken_ = 0;
    }
  }
  std::size_t copy_to(std::span<char> target) noexcept {
    const std::string_view all = unread();
    const std::size_t count = all.size() < target.size() ? all.size() : target.size();
    if (count == 0) return 0;
    std::memcpy(target.data(), all.data(), count);
    consume(count);
    return count;
  }
  /// The first `bytes`; without a copy when that is all there is.
  std::string take(std::size_t bytes) {
    std::string result;
    if (fresh_.empty() && taken_ == 0 && kept_.size() == bytes) {
      result.swap(kept_);
    } else {
      result.assign(unread().substr(0, bytes));
      consume(bytes);
    }
    return result;
  }
  void put_back(std::string_view bytes) {
    keep();
    kept_.replace(0, taken_, bytes);
    taken_ = 0;
  }

 private:
  // What an empty buffer may hold on to.
  static constexpr std::size_t idle_bytes = 256;

  std::string kept_;
  std::size_t taken_ = 0;  // of kept_
  std::string_view fresh_;
};

}  // namespace squall::net::detail
