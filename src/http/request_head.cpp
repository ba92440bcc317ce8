// SPDX-License-Identifier: Apache-2.0
#include "http/ascii.hpp"

#include <squall/http/request_head.hpp>

#include <algorithm>

namespace squall::http {

std::string_view HeadFields::field(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (ascii::equal(field_name(i), name)) return field_value(i);
  }
  return {};
}

std::string_view HeadFields::field(FieldId id) const noexcept {
  if (id == FieldId::other || !has(id)) return {};
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (fields_[i].id == id) return field_value(i);
  }
  return {};
}

bool HeadFields::has(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (ascii::equal(field_name(i), name)) return true;
  }
  return false;
}

void HeadFields::assign_fields(const HeadFields& other) noexcept {
  base_ = other.base_;
  size_ = other.size_;
  present_ = other.present_;
  field_count_ = other.field_count_;
  std::copy_n(other.fields_, other.field_count_, fields_);
}

void RequestHead::assign(const RequestHead& other) noexcept {
  static_cast<RequestLine&>(*this) = other;
  assign_fields(other);
}

}  // namespace squall::http
