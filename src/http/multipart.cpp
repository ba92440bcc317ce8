// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.hpp"

#include "http/ascii.hpp"
#include "http/parameters.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace squall::http {
namespace {

constexpr MultipartError none{};
constexpr std::string_view form_data = "multipart/form-data";
constexpr std::size_t most_padding = 256;

// bchars (RFC 2046 §5.1.1).
bool is_boundary(std::string_view text) noexcept {
  constexpr std::string_view marks = "'()+_,-./:=? ";
  if (text.empty() || text.size() > 70 || text.back() == ' ') return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return ascii::is_digit(c) || ascii::is_alpha(c) || marks.find(c) != std::string_view::npos;
  });
}

const char* text_of(MultipartError error) noexcept {
  switch (error) {
    case MultipartError::bad_boundary:
      return "multipart body without a legal boundary";
    case MultipartError::bad_delimiter:
      return "malformed boundary line in a multipart body";
    case MultipartError::bad_part_head:
      return "malformed field in a multipart body";
    case MultipartError::bad_disposition:
      return "part of a multipart body without a name";
    case MultipartError::truncated:
      return "multipart body without its final boundary";
    case MultipartError::preamble_too_large:
      return "multipart body that does not begin with its boundary";
    case MultipartError::part_head_too_large:
      return "head of a part of a multipart body too large";
    case MultipartError::too_many_parts:
      return "too many parts in a multipart body";
    case MultipartError::too_large:
      return "multipart body too large";
  }
  return "unknown error";
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.http.multipart"; }
  std::string message(int value) const override {
    return text_of(static_cast<MultipartError>(value));
  }
};

}  // namespace

std::error_code make_error_code(MultipartError error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

std::uint16_t status_for(MultipartError error) noexcept {
  switch (error) {
    case MultipartError::part_head_too_large:
    case MultipartError::too_many_parts:
    case MultipartError::too_large:
      return 413;
    default:
      return 400;
  }
}

bool is_multipart_form(std::string_view content_type) noexcept {
  return ascii::equal(ascii::trim(content_type.substr(0, content_type.find(';'))), form_data);
}

MultipartParser::MultipartParser(std::string_view boundary, const MultipartLimits& limits)
    : limits_(limits) {
  delimiter_.reserve(4 + boundary.size());
  delimiter_.append("\r\n--").append(boundary);
}

Result<MultipartParser> MultipartParser::create(std::string_view content_type,
                                                const MultipartLimits& limits) {
  if (!is_multipart_form(content_type)) return MultipartError::bad_boundary;
  const std::size_t type_end = content_type.find(';');
  if (type_end == std::string_view::npos) return MultipartError::bad_boundary;
  std::string boundary;
  bool found = false;
  ParameterReader parameters(content_type.substr(type_end));
  while (parameters.next()) {
    if (!ascii::equal(parameters.name, "boundary")) continue;
    if (found) return MultipartError::bad_boundary;
    found = true;
    boundary = std::move(parameters.value);
  }
  if (parameters.is_malformed() || !is_boundary(boundary)) return MultipartError::bad_boundary;
  return MultipartParser(boundary, limits);
}

Result<MultipartParser::Step> MultipartParser::next(std::string_view in) {
  // Bytes past the limit are not looked at: what is refused first does not depend on the cuts.
  const std::string_view allowed = in.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(
                                                    in.size(), limits_.max_bytes - total_bytes_)));
  Result<Step> step = advance(state_ == State::done ? in : allowed);
  if (!step) return step;
  if (step->event == Event::done) {
    step->consumed = in.size();  // what follows is ignored, however long it is
    return step;
  }
  total_bytes_ += step->consumed;
  if (step->event == Event::need_more && allowed.size() < in.size())
    return MultipartError::too_large;
  return step;
}

Result<MultipartParser::Step> MultipartParser::advance(std::string_view in) {
  std::size_t at = 0;
  for (;;) {
    if (state_ == State::done) {
      at = in.size();
      break;
    }
    if (state_ == State::after_data) {
      state_ = State::boundary_end;
      return Step{at, Event::part_end, {}};
    }
    if (at == in.size()) break;
    if (state_ == State::preamble || state_ == State::data) {
      Result<Step> step = find_delimiter(in, at);
      if (!step) return step;
      at = step->consumed;
      if (step->event == Event::data) return step;
    } else if (state_ == State::head) {
      const MultipartError error = read_head(in, at);
      if (error != none) return error;
      if (state_ == State::data) return Step{at, Event::part_begin, {}};
    } else {
      const MultipartError error = read_line(in[at++]);
      if (error != none) return error;
    }
  }
  return Step{at, state_ == State::done ? Event::done : Event::need_more, {}};
}

Result<void> MultipartParser::finish() const noexcept {
  if (state_ != State::done) return MultipartError::truncated;
  return {};
}

// Gives the data up to the next delimiter. No part of the delimiter but its first byte is a CR, so
// what did not go on as a delimiter need not be looked at again.
Result<MultipartParser::Step> MultipartParser::find_delimiter(std::string_view in,
                                                              std::size_t from) {
  const auto found = [this] {
    matched_ = not_data_ = 0;
    padding_bytes_ = 0;
    state_ = in_preamble() ? State::boundary_end : State::after_data;
  };
  const auto give = [this](std::size_t consumed, std::string_view data) -> Result<Step> {
    if (!in_preamble()) return Step{consumed, data.empty() ? Event::need_more : Event::data, data};
    preamble_bytes_ += data.size();
    if (preamble_bytes_ > limits_.max_preamble) return MultipartError::preamble_too_large;
    return Step{consumed, Event::need_more, {}};
  };
  std::size_t at = from;
  if (matched_ != 0) {
    const std::size_t size = std::min(delimiter_.size() - matched_, in.size() - at);
    if (in.substr(at, size) == std::string_view(delimiter_).substr(matched_, size)) {
      matched_ += size;
      if (matched_ == delimiter_.size()) found();
      return Step{at + size, Event::need_more, {}};
    }
    const std::string_view held =
        std::string_view(delimiter_).substr(not_data_, matched_ - not_data_);
    matched_ = not_data_ = 0;
    if (!held.empty()) return give(at, held);
  }
  while (at != in.size()) {
    const void* const carriage = std::memchr(in.data() + at, '\r', in.size() - at);
    if (carriage == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const char*>(carriage) - in.data());
    std::size_t size = 1;
    while (size != delimiter_.size() && at + size != in.size() &&
           in[at + size] == delimiter_[size]) {
      ++size;
    }
    const std::string_view data = in.substr(from, at - from);
    if (size == delimiter_.size()) {
      Result<Step> step = give(at + size, data);
      if (step) found();
      return step;
    }
    if (at + size == in.size()) {
      matched_ = size;
      return give(in.size(), data);
    }
    at += size;
  }
  return give(in.size(), in.substr(from));
}

MultipartError MultipartParser::read_line(char c) noexcept {
  switch (state_) {
    case State::boundary_end:
      if (c == '-') {
        state_ = State::final_hyphen;
        return none;
      }
      [[fallthrough]];
    case State::padding:
      if (c == '\r') {
        state_ = State::line_feed;
        return none;
      }
      state_ = State::padding;
      return ascii::is_blank(c) && ++padding_bytes_ <= most_padding ? none
                                                                    : MultipartError::bad_delimiter;
    case State::final_hyphen:
      state_ = State::done;
      return c == '-' ? none : MultipartError::bad_delimiter;
    default:  // State::line_feed
      if (c != '\n') return MultipartError::bad_delimiter;
      if (++part_count_ > limits_.max_parts) return MultipartError::too_many_parts;
      part_.clear();
      state_ = State::head;
      return none;
  }
}

// Takes whole lines, or what there is of one.
MultipartError MultipartParser::read_head(std::string_view in, std::size_t& at) {
  while (at != in.size()) {
    const std::size_t line_feed = in.find('\n', at);
    const std::size_t end = line_feed == std::string_view::npos ? in.size() : line_feed + 1;
    if (end - at > limits_.max_part_head - part_.text_.size()) {
      return MultipartError::part_head_too_large;
    }
    part_.text_.append(in.substr(at, end - at));
    at = end;
    if (line_feed == std::string_view::npos) return none;
    const std::string_view line = std::string_view(part_.text_).substr(part_.line_at_);
    if (!line.ends_with("\r\n")) return MultipartError::bad_part_head;
    if (line.size() != 2) {
      part_.line_at_ = part_.text_.size();
      continue;
    }
    switch (part_.parse(limits_.max_fields)) {
      case PartHead::Fault::malformed:
        return MultipartError::bad_part_head;
      case PartHead::Fault::too_many_fields:
        return MultipartError::part_head_too_large;
      case PartHead::Fault::disposition:
        return MultipartError::bad_disposition;
      case PartHead::Fault::none:
        break;
    }
    matched_ = not_data_ = 2;  // the empty line may be the one before the next boundary
    state_ = State::data;
    return none;
  }
  return none;
}

}  // namespace squall::http
