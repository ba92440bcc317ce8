// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

/// What the fuzz targets share; README.md tells how to write one.
namespace fuzz {

/// What a target defines: looks at one input and calls check() for what must hold.
void run(std::string_view input);

/// A finding: says what is wrong and ends the process, as a sanitizer would.
inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}
/// A finding, with both sides of what should be the same.
inline void check_same(std::string_view left, std::string_view right, const char* what) {
  if (left == right) return;
  std::fprintf(stderr, "fuzz: %s\n--- one\n%.*s\n--- other\n%.*s\n", what,
               static_cast<int>(left.size()), left.data(), static_cast<int>(right.size()),
               right.data());
  std::abort();
}

/// Numbers that depend on nothing but the input, so that a seed is plain text and a finding is
/// found again.
class Random {
 public:
  explicit Random(std::string_view seed) noexcept {
    for (const char c : seed) state_ = (state_ ^ static_cast<unsigned char>(c)) * 1099511628211U;
  }
  /// 1 to `most`
  std::size_t up_to(std::size_t most) noexcept {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(state_ >> 33) % most + 1;
  }

 private:
  std::uint64_t state_ = 14695981039346656037U;
};

/// Bytes in a block of exactly their size, where a sanitizer sees a read past either end.
class Exact {
 public:
  explicit Exact(std::string_view text)
      : bytes_(std::make_unique<char[]>(text.size())), size_(text.size()) {
    text.copy(bytes_.get(), size_);
  }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] char* data() noexcept { return bytes_.get(); }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

/// The part of `text` up to the first `separator`, which is taken away with it.
inline std::string_view take(std::string_view& text, char separator = '\n') noexcept {
  const std::size_t size = text.find(separator);
  const std::string_view part = text.substr(0, size);
  text.remove_prefix(size == std::string_view::npos ? text.size() : size + 1);
  return part;
}

/// Whether `part` lies within `whole`.
inline bool is_within(std::string_view part, std::string_view whole) noexcept {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace fuzz
