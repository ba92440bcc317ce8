// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.hpp"
#include "base/number.hpp"

#include <squall/base/error.hpp>
#include <squall/realtime/position.hpp>

#include <algorithm>

namespace squall::realtime {
namespace {

bool is_epoch(std::string_view text) noexcept {
  return !text.empty() && text.size() <= Position::max_epoch_bytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return ascii::is_alphanumeric(c) || c == '-' || c == '_'; });
}

}  // namespace

Position::Position(std::string_view epoch, std::uint64_t offset) : offset_(offset) {
  if (!is_epoch(epoch)) {
    throw UsageError("an epoch has 1 to 23 letters, digits, '-' or '_', unlike '" +
                     std::string(epoch) + "'");
  }
  std::copy(epoch.begin(), epoch.end(), epoch_);
  epoch_bytes_ = static_cast<unsigned char>(epoch.size());
}

std::string Position::to_string() const {
  if (is_empty()) return {};
  std::string text(epoch());
  text += ':';
  text += std::to_string(offset_);
  return text;
}

std::optional<Position> Position::parse(std::string_view text) noexcept {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !is_epoch(text.substr(0, colon))) return std::nullopt;
  const std::string_view digits = text.substr(colon + 1);
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  std::uint64_t offset = 0;
  if (!read_number(digits, offset)) return std::nullopt;
  return Position(text.substr(0, colon), offset);
}

}  // namespace squall::realtime
