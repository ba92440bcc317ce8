// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/answers.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wire_load {

/// What every answer must be: 200, this media type, this body. Shared by the connections of a run.
struct HttpExpectation {
  std::string type;  // compared without parameters
  std::string body;
  bool is_json = false;  // white space outside strings does not count

  // The last head and JSON body that passed: an identical one need not be parsed again.
  std::string passed_head = {};
  std::size_t passed_length = 0;
  std::string passed_body = {};
};

/// Checks a stream of HTTP/1.1 responses framed by Content-Length (RFC 9112 §6.3).
class HttpAnswers final : public Answers {
 public:
  explicit HttpAnswers(HttpExpectation& expected) : expected_(&expected) {}

  std::size_t feed(const char* data, std::size_t size) override;
  bool between() const override { return !in_body_ && partial_.empty(); }

 private:
  std::size_t feed_head(std::string_view data);
  std::size_t feed_body(std::string_view data);
  void check_json();

  HttpExpectation* expected_;
  std::string partial_;  // of a head, or of a JSON body
  std::size_t length_ = 0;
  std::size_t offset_ = 0;
  bool in_body_ = false;
};

}  // namespace wire_load
