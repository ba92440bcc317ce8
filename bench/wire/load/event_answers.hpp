// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/answers.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wire_load {

/// The data of the events that every stream of a run must see, over and over.
struct EventExpectation {
  std::vector<std::string> data;
};

/// Checks a stream of server-sent events in a chunked HTTP/1.1 response: the head, the framing of
/// the chunks wherever they are cut, and each event's data, byte for byte and in order. Comments
/// and other fields than `data` may stand between.
class EventAnswers final : public Answers {
 public:
  explicit EventAnswers(const EventExpectation& expected) : expected_(&expected) {}

  std::size_t feed(const char* data, std::size_t size) override;
  bool between() const override { return state_ == State::size && block_.empty(); }

  /// True once the head has come, and was right.
  bool is_open() const { return state_ != State::head; }

 private:
  enum class State : std::uint8_t { head, size, payload, payload_end };

  std::size_t feed_head(std::string_view data);
  std::size_t feed_line(std::string_view data);
  std::size_t feed_payload(std::string_view data, std::size_t& complete);
  bool feed_fast(std::string_view data, std::size_t& complete);
  bool finish_block();

  const EventExpectation* expected_;
  std::size_t next_ = 0;  // which event comes now
  State state_ = State::head;
  std::size_t left_ = 0;  // of the chunk's payload
  std::string line_;      // of the head, or of a chunk's framing
  std::string block_;     // an event that has not ended
};

}  // namespace wire_load
