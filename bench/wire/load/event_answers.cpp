// SPDX-License-Identifier: Apache-2.0
#include "load/event_answers.hpp"

#include "load/sockets.hpp"

#include <algorithm>
#include <charconv>

namespace wire_load {
namespace {

constexpr std::size_t head_limit_bytes = 16 * 1024;
constexpr std::size_t event_limit_bytes = 64 * 1024;

[[noreturn]] void wrong(std::string_view what, std::string_view text) {
  throw Failure(std::string(what) + ": " + std::string(text.substr(0, 120)));
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return result;
}

void check_head(std::string_view head) {
  if (!head.starts_with("HTTP/1.1 200 ")) wrong("not a 200", head);
  const std::string fields = lower(head);
  if (fields.find("\r\ncontent-type: text/event-stream") == std::string::npos) {
    wrong("not an event stream", head);
  }
  if (fields.find("\r\ntransfer-encoding: chunked\r\n") == std::string::npos) {
    wrong("not chunked", head);
  }
  if (fields.find("\r\ncontent-length:") != std::string::npos) wrong("has Content-Length", head);
}

}  // namespace

std::size_t EventAnswers::feed(const char* data, std::size_t size) {
  std::size_t complete = 0;
  std::string_view left(data, size);
  while (!left.empty()) {
    switch (state_) {
      case State::head:
        left.remove_prefix(feed_head(left));
        break;
      case State::size:
      case State::payload_end:
        left.remove_prefix(feed_line(left));
        break;
      case State::payload:
        left.remove_prefix(feed_payload(left, complete));
        break;
    }
  }
  return complete;
}

std::size_t EventAnswers::feed_head(std::string_view data) {
  const std::size_t before = line_.size();
  line_.append(data);
  const auto end = line_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    if (line_.size() > head_limit_bytes) wrong("head too long", line_);
    return data.size();
  }
  check_head(std::string_view(line_).substr(0, end + 4));
  line_.clear();
  state_ = State::size;
  return end + 4 - before;
}

/// A chunk's size line, or the line end after its payload.
std::size_t EventAnswers::feed_line(std::string_view data) {
  const auto end = data.find('\n');
  const std::size_t used = end == std::string_view::npos ? data.size() : end + 1;
  line_.append(data.substr(0, used));
  if (line_.size() > 64) wrong("chunk size too long", line_);
  if (end == std::string_view::npos) return used;
  if (!line_.ends_with("\r\n")) wrong("line of a chunk without CR", line_);
  const std::string_view text = std::string_view(line_).substr(0, line_.size() - 2);
  if (state_ == State::payload_end) {
    if (!text.empty()) wrong("chunk longer than its size", text);
    state_ = State::size;
  } else {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), left_, 16);
    if (error != std::errc{} || stop != text.data() + text.size()) wrong("bad chunk size", text);
    if (left_ == 0) throw Failure("the event stream was ended by the server");
    state_ = State::payload;
  }
  line_.clear();
  return used;
}

std::size_t EventAnswers::feed_payload(std::string_view data, std::size_t& complete) {
  const std::string_view piece = data.substr(0, left_);
  left_ -= piece.size();
  if (left_ == 0) state_ = State::payload_end;
  if (block_.empty() && feed_fast(piece, complete)) return piece.size();
  block_.append(piece);
  if (block_.size() > event_limit_bytes) wrong("event too long", block_);
  for (;;) {
    const auto end = block_.find("\n\n");
    if (end == std::string::npos) return piece.size();
    const std::string after = block_.substr(end + 2);
    block_.resize(end + 1);
    if (finish_block()) ++complete;
    block_ = after;
  }
}

/// Exactly the event that is due, and nothing else: the usual case, without a copy.
bool EventAnswers::feed_fast(std::string_view data, std::size_t& complete) {
  constexpr std::string_view field = "data: ";
  const std::string& due = expected_->data[next_];
  const bool is_due = data.size() == field.size() + due.size() + 2 && data.starts_with(field) &&
                      data.ends_with("\n\n") && data.substr(field.size(), due.size()) == due;
  if (!is_due) return false;
  next_ = next_ + 1 == expected_->data.size() ? 0 : next_ + 1;
  ++complete;
  return true;
}

/// Looks at the lines of one block; true when it was an event that carries data.
bool EventAnswers::finish_block() {
  std::string data;
  bool has_data = false;
  std::string_view lines = block_;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() + 1);
    if (!line.starts_with("data:")) continue;
    if (has_data) data += '\n';
    data.append(line.substr(line.starts_with("data: ") ? 6 : 5));
    has_data = true;
  }
  if (!has_data) return false;
  if (data != expected_->data[next_]) wrong("wrong event", data);
  next_ = next_ + 1 == expected_->data.size() ? 0 : next_ + 1;
  return true;
}

}  // namespace wire_load
