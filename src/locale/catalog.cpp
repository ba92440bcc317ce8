// SPDX-License-Identifier: Apache-2.0
#include "locale/catalog.hpp"

namespace squall::locale {
namespace {

constexpr char separator = '\x04';

std::uint64_t hash(std::uint64_t seed, std::string_view text) noexcept {  // FNV-1a
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return seed;
}

std::uint64_t hash(std::string_view context, std::string_view key) noexcept {
  std::uint64_t value = 14695981039346656037U;
  if (context.data() != nullptr) {
    value = hash(hash(value, context), std::string_view(&separator, 1));
  }
  value = hash(value, key);
  return value ^ value >> 32;
}

bool is_key(std::string_view text, std::string_view context, std::string_view key) noexcept {
  if (context.data() == nullptr) return text == key;
  return text.size() == context.size() + 1 + key.size() && text.starts_with(context) &&
         text[context.size()] == separator && text.ends_with(key);
}

}  // namespace

// Where it is, or where it would be; there is always a free one.
std::size_t Catalog::slot(std::string_view context, std::string_view wanted) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash(context, wanted) & mask;; at = (at + 1) & mask) {
    if (slots_[at] == 0 || is_key(key(entries_[slots_[at] - 1]), context, wanted)) return at;
  }
}

void Catalog::grow() {
  slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    slots_[slot({}, key(entries_[i]))] = static_cast<std::uint32_t>(i + 1);
  }
}

void Catalog::add(const Entry& entry) {
  if ((entries_.size() + 1) * 2 > slots_.size()) grow();
  std::uint32_t& place = slots_[slot({}, key(entry))];
  if (place != 0) {
    entries_[place - 1] = entry;
    return;
  }
  entries_.push_back(entry);
  place = static_cast<std::uint32_t>(entries_.size());
}

void Catalog::add(std::string_view key, std::string_view value) {
  Entry entry;
  entry.key_at = static_cast<std::uint32_t>(text_.size());
  entry.key_size = static_cast<std::uint32_t>(key.size());
  text_ += key;
  entry.value_at = static_cast<std::uint32_t>(text_.size());
  entry.value_size = static_cast<std::uint32_t>(value.size());
  text_ += value;
  add(entry);
}

void Catalog::shrink() {
  text_.shrink_to_fit();
  entries_.shrink_to_fit();
}

const Catalog::Entry* Catalog::find(std::string_view context,
                                    std::string_view wanted) const noexcept {
  if (slots_.empty()) return nullptr;
  const std::uint32_t found = slots_[slot(context, wanted)];
  return found == 0 ? nullptr : &entries_[found - 1];
}

}  // namespace squall::locale
