// SPDX-License-Identifier: Apache-2.0
#include "realtime/redis_protocol.hpp"

#include <charconv>
#include <hiredis/hiredis.h>
#include <new>

namespace squall::realtime {
namespace {

void append_size(std::string& to, char mark, std::size_t size) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, size).ptr;
  to += mark;
  to.append(digits, end);
  to += "\r\n";
}

}  // namespace

RedisValue::Kind RedisValue::kind() const noexcept {
  if (reply_ == nullptr) return Kind::nil;
  switch (reply_->type) {
    case REDIS_REPLY_STRING:
      return Kind::text;
    case REDIS_REPLY_STATUS:
      return Kind::status;
    case REDIS_REPLY_ERROR:
      return Kind::error;
    case REDIS_REPLY_INTEGER:
      return Kind::integer;
    case REDIS_REPLY_ARRAY:
      return Kind::array;
    default:
      return Kind::nil;
  }
}

std::string_view RedisValue::text() const noexcept {
  switch (kind()) {
    case Kind::text:
    case Kind::status:
    case Kind::error:
      return {reply_->str, static_cast<std::size_t>(reply_->len)};
    default:
      return {};
  }
}

std::int64_t RedisValue::integer() const noexcept {
  return is(Kind::integer) ? reply_->integer : 0;
}

std::size_t RedisValue::size() const noexcept {
  return is(Kind::array) ? static_cast<std::size_t>(reply_->elements) : 0;
}

RedisValue RedisValue::operator[](std::size_t index) const noexcept {
  return index < size() ? RedisValue(reply_->element[index]) : RedisValue();
}

RedisReply::~RedisReply() {
  if (reply_ != nullptr) freeReplyObject(reply_);
}

RedisParser::RedisParser() : reader_(redisReaderCreate()) {
  if (reader_ == nullptr) throw std::bad_alloc();
}

RedisParser::~RedisParser() { redisReaderFree(reader_); }

bool RedisParser::feed(std::string_view bytes) noexcept {
  return redisReaderFeed(reader_, bytes.data(), bytes.size()) == REDIS_OK;
}

bool RedisParser::next(RedisReply& reply) noexcept {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_, &raw) != REDIS_OK) return false;
  reply = RedisReply(static_cast<redisReply*>(raw));
  return true;
}

std::string_view RedisParser::error_text() const noexcept { return reader_->errstr; }

void append_redis_command(std::string& to, std::span<const std::string_view> words) {
  append_size(to, '*', words.size());
  for (const std::string_view word : words) {
    append_size(to, '$', word.size());
    to += word;
    to += "\r\n";
  }
}

}  // namespace squall::realtime
