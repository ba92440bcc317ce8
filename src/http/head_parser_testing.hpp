// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/head_parser.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

/// What the tests of the head parser share.
namespace squall::http {

using HeadStatus = RequestHeadParser::Status;

/// Bytes in a block of exactly their size, so that AddressSanitizer sees a read past them.
class ExactBuffer {
 public:
  explicit ExactBuffer(std::string_view text)
      : bytes_(std::make_unique<char[]>(text.size())), size_(text.size()) {
    text.copy(bytes_.get(), text.size());
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

/// A head, parsed from a buffer of its own.
struct ParsedHead {
  explicit ParsedHead(std::string_view text, const HeadLimits& limits = {}) : buffer(text) {
    status = parser.parse(buffer.view(), head, limits);
  }

  ExactBuffer buffer;
  RequestHead head;
  RequestHeadParser parser;
  HeadStatus status;
};

/// Everything that a head says, as text to be compared.
inline std::string describe(const RequestHead& head) {
  std::string text;
  const auto add = [&text](std::string_view part) { text.append(part).append("|"); };
  add(to_string(head.method()));
  add(head.method_name());
  add(head.target());
  add(head.path());
  add(head.query());
  add(head.authority());
  add(std::to_string(head.minor_version()));
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    add(head.field_name(i));
    add(head.field_value(i));
    add(std::to_string(static_cast<int>(head.field_id(i))));
  }
  add(head.bytes());
  return text;
}

/// Feeds `text` in pieces of `piece` bytes after a first one of `first`, each time from a buffer
/// elsewhere; what it ends with as text.
inline std::string parse_in_pieces(std::string_view text, std::size_t first, std::size_t piece,
                                   const HeadLimits& limits = {}) {
  RequestHead head;
  RequestHeadParser parser;
  std::unique_ptr<ExactBuffer> buffer;
  for (std::size_t size = first;; size += piece) {
    if (size > text.size()) size = text.size();
    auto moved = std::make_unique<ExactBuffer>(text.substr(0, size));
    buffer = std::move(moved);  // the old bytes are gone only when the new ones are elsewhere
    switch (parser.parse(buffer->view(), head, limits)) {
      case HeadStatus::done:
        return describe(head) + std::to_string(parser.head_bytes());
      case HeadStatus::failed:
        return "error " + std::to_string(static_cast<int>(parser.error()));
      case HeadStatus::need_more:
        if (size == text.size()) return "need more";
    }
  }
}

}  // namespace squall::http
