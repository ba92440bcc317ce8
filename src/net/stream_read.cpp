// SPDX-License-Identifier: Apache-2.0
// What each read looks for in the bytes that have come.
#include "net/stream_core.hpp"

#include <squall/base/error.hpp>

#include <re2/re2.h>

namespace squall::net::detail {

bool StreamCore::try_read(ReadWait& read) {
  if (reader_ != nullptr && reader_ != &read) {
    throw UsageError("another coroutine reads from this Stream: one read at a time");
  }
  if (!readable_) return refuse(read, std::make_error_code(std::errc::bad_file_descriptor));
  return has_enough(read);
}

bool StreamCore::found(ReadWait& read, std::size_t bytes, std::size_t skipped) {
  read.found_ = bytes;
  read.skipped_ = skipped;
  return true;
}

bool StreamCore::refuse(ReadWait& read, std::error_code error) noexcept {
  read.error_ = error;
  return true;
}

// The peer sends something else than what was agreed on; there is no way to find its next message.
bool StreamCore::exceeded(ReadWait& read) noexcept {
  if (reader_ == &read) reader_ = nullptr;  // it is told here, not by close()
  close(StreamError::limit_exceeded);
  if (read.in_slot_) reader_ = &read;
  return refuse(read, StreamError::limit_exceeded);
}

std::error_code StreamCore::end_error() const noexcept {
  return eof_ ? make_error_code(StreamError::end_of_stream) : closed_error();
}

bool StreamCore::has_enough(ReadWait& read) {
  const std::size_t size = input_.size();
  switch (read.kind_) {
    case ReadKind::some:
      if (size > 0 || read.target_.empty() || eof_) return found(read, size);
      break;
    case ReadKind::into:
      read.progress_ += input_.copy_to(read.target_.subspan(read.progress_));
      if (read.progress_ == read.target_.size()) return found(read, read.progress_);
      break;
    case ReadKind::exactly:
      if (read.limit_ > limits::stream_read_bytes) return exceeded(read);
      if (size >= read.limit_) return found(read, read.limit_);
      break;
    case ReadKind::until_close:
      if (size > read.limit_) return exceeded(read);
      if (eof_) return found(read, size);
      break;
    case ReadKind::until:
      if (has_delimiter(read)) return true;
      break;
    case ReadKind::line:
      if (has_line(read)) return true;
      break;
    case ReadKind::regex:
      if (has_match(read)) return true;
      break;
    case ReadKind::handshake:
      if (tls_done_ && stream_ != nullptr) return true;
      break;
  }
  return has_ended() && refuse(read, end_error());
}

bool StreamCore::has_delimiter(ReadWait& read) {
  const std::string_view text = input_.unread();
  const std::size_t length = read.text_.size();
  if (length == 0) throw UsageError("read_until(\"\") has nothing to look for");
  // The delimiter may have begun in what was searched before.
  const std::size_t from = read.progress_ < length ? 0 : read.progress_ - (length - 1);
  const std::size_t at = text.find(read.text_, from);
  const std::size_t end = at == std::string_view::npos ? text.size() + 1 : at + length;
  if (end > read.limit_) return exceeded(read);
  if (at != std::string_view::npos) return found(read, end);
  read.progress_ = text.size();
  return false;
}

bool StreamCore::has_line(ReadWait& read) {
  const std::string_view text = input_.unread();
  const std::size_t at = text.find('\n', read.progress_);
  if (at == std::string_view::npos) {
    if (text.size() >= read.limit_) return exceeded(read);
    read.progress_ = text.size();
    return eof_ && !text.empty() && found(read, text.size());
  }
  if (at >= read.limit_) return exceeded(read);
  const std::size_t length = at > 0 && text[at - 1] == '\r' ? at - 1 : at;
  return found(read, length, at + 1 - length);
}

bool StreamCore::has_match(ReadWait& read) {
  const re2::RE2& regex = compiled(read.text_);
  const std::string_view text = input_.unread();
  re2::StringPiece match;
  if (regex.Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, &match, 1)) {
    // An empty text has no address to count from.
    const std::size_t end =
        match.empty() ? 0 : static_cast<std::size_t>(match.data() + match.size() - text.data());
    return end > read.limit_ ? exceeded(read) : found(read, end);
  }
  return text.size() >= read.limit_ && exceeded(read);
}

const re2::RE2& StreamCore::compiled(const std::string& pattern) {
  if (regex_ == nullptr || regex_->pattern() != pattern) {
    re2::RE2::Options options(re2::RE2::Latin1);  // bytes, not text
    options.set_log_errors(false);
    regex_ = std::make_unique<re2::RE2>(pattern, options);
  }
  if (!regex_->ok()) {
    throw UsageError("read_until_regex(\"" + pattern + "\"): " + regex_->error());
  }
  return *regex_;
}

void StreamCore::read_on() noexcept {
  if (stream_ != nullptr && readable_ && input_.size() <= read_ahead_ / 2) {
    stream_->resume_receiving();
  }
}

}  // namespace squall::net::detail
