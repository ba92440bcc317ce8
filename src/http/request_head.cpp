// SPDX-License-Identifier: Apache-2.0
#include "http/ascii.hpp"

#include <squall/http/request_head.hpp>

#include <algorithm>

namespace squall::http {

std::string_view RequestHead::field(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (ascii::equal(field_name(i), name)) return field_value(i);
  }
  return {};
}

std::string_view RequestHead::field(FieldId id) const noexcept {
  if (id == FieldId::other || !has(id)) return {};
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (fields_[i].id == id) return field_value(i);
  }
  return {};
}

bool RequestHead::has(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (ascii::equal(field_name(i), name)) return true;
  }
  return false;
}

void RequestHead::assign(const RequestHead& other) noexcept {
  base_ = other.base_;
  size_ = other.size_;
  target_at_ = other.target_at_;
  target_size_ = other.target_size_;
  path_at_ = other.path_at_;
  path_size_ = other.path_size_;
  query_at_ = other.query_at_;
  query_size_ = other.query_size_;
  authority_at_ = other.authority_at_;
  authority_size_ = other.authority_size_;
  present_ = other.present_;
  field_count_ = other.field_count_;
  method_size_ = other.method_size_;
  method_ = other.method_;
  minor_version_ = other.minor_version_;
  std::copy_n(other.fields_, other.field_count_, fields_);
}

}  // namespace squall::http
