// SPDX-License-Identifier: Apache-2.0
#include "load/http_answers.hpp"

#include "load/sockets.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace wire_load {
namespace {

constexpr std::size_t head_limit_bytes = 16 * 1024;

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [lower](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

[[noreturn]] void wrong(std::string_view what, std::string_view text) {
  throw Failure(std::string(what) + ": " + std::string(text.substr(0, 120)));
}

/// Checks status line and fields; returns Content-Length.
std::size_t check_head(std::string_view head, const HttpExpectation& expected) {
  if (!head.starts_with("HTTP/1.1 200 ")) wrong("not a 200", head);
  std::size_t length = 0;
  int length_count = 0;
  std::string_view type;
  std::string_view lines = head.substr(head.find("\r\n") + 2);
  while (!lines.starts_with("\r\n")) {
    const auto line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(line.size() + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) wrong("header without a colon", line);
    const auto name = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (same_ignoring_case(name, "Transfer-Encoding")) wrong("unexpected header", line);
    if (same_ignoring_case(name, "Content-Type")) type = trim(value.substr(0, value.find(';')));
    if (!same_ignoring_case(name, "Content-Length")) continue;
    ++length_count;
    const auto end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, length);
    if (parsed.ec != std::errc{} || parsed.ptr != end) wrong("bad Content-Length", line);
  }
  if (length_count != 1) wrong("not exactly one Content-Length", head);
  if (!same_ignoring_case(type, expected.type)) wrong("wrong Content-Type", type);
  if (!expected.is_json && length != expected.body.size()) wrong("wrong Content-Length", head);
  return length;
}

std::string without_white_space(std::string_view json) {
  std::string compact;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"' && (i == 0 || json[i - 1] != '\\')) in_string = !in_string;
    const bool is_space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (in_string || !is_space) compact += c;
  }
  return compact;
}

}  // namespace

std::size_t HttpAnswers::feed(const char* data, std::size_t size) {
  std::size_t complete = 0;
  std::string_view left(data, size);
  while (!left.empty()) {
    left.remove_prefix(in_body_ ? feed_body(left) : feed_head(left));
    if (!in_body_ || offset_ != length_) continue;
    if (expected_->is_json) check_json();
    in_body_ = false;
    offset_ = 0;
    ++complete;
  }
  return complete;
}

std::size_t HttpAnswers::feed_head(std::string_view data) {
  const auto& passed = expected_->passed_head;
  if (partial_.empty() && !passed.empty() && data.starts_with(passed)) {
    length_ = expected_->passed_length;
    in_body_ = true;
    return passed.size();
  }
  const std::size_t before = partial_.size();
  partial_.append(data.substr(0, head_limit_bytes));
  const auto end = partial_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    if (partial_.size() > head_limit_bytes) wrong("head too long", partial_);
    return std::min(data.size(), head_limit_bytes);
  }
  partial_.resize(end + 4);
  length_ = check_head(partial_, *expected_);
  expected_->passed_head = partial_;
  expected_->passed_length = length_;
  const std::size_t used = partial_.size() - before;
  partial_.clear();
  in_body_ = true;
  return used;
}

std::size_t HttpAnswers::feed_body(std::string_view data) {
  const auto piece = data.substr(0, length_ - offset_);
  if (expected_->is_json) {
    partial_.append(piece);
  } else if (std::memcmp(piece.data(), expected_->body.data() + offset_, piece.size()) != 0) {
    wrong("wrong body", piece);
  }
  offset_ += piece.size();
  return piece.size();
}

void HttpAnswers::check_json() {
  if (partial_ != expected_->passed_body) {
    if (without_white_space(partial_) != expected_->body) wrong("wrong JSON", partial_);
    expected_->passed_body = partial_;
  }
  partial_.clear();
}

}  // namespace wire_load
