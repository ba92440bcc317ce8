// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.hpp"

#include <squall/base/error.hpp>
#include <squall/web/http_error.hpp>
#include <squall/web/multipart_reader.hpp>
#include <squall/web/request.hpp>

#include <memory>
#include <utility>

namespace squall::web {
namespace {

using Event = http::MultipartParser::Event;

class RequestSource final : public BodySource {
 public:
  explicit RequestSource(const HTTPServerRequest& request) noexcept : request_(request) {}
  Task<std::string_view> read() override {
    const RequestBody body = request_.body();
    const std::string_view piece = co_await body.read();
    co_return piece;
  }

 private:
  const HTTPServerRequest& request_;
};

[[noreturn]] void refuse(std::error_code error) {
  throw HTTPError(http::status_for(static_cast<http::MultipartError>(error.value())),
                  error.message());
}

http::MultipartParser parser_for(std::string_view content_type,
                                 const MultipartReaderOptions& options) {
  if (!http::is_multipart_form(content_type)) {
    throw HTTPError(415, "the body is no multipart/form-data");
  }
  http::MultipartLimits limits;
  limits.max_parts = options.max_parts;
  limits.max_part_head = options.max_part_head;
  if (options.max_bytes != 0) limits.max_bytes = options.max_bytes;
  Result<http::MultipartParser> parser = http::MultipartParser::create(content_type, limits);
  if (!parser) refuse(parser.error());
  return std::move(*parser);
}

Task<MultipartPart*> part_or_none(Task<bool> there, MultipartPart* part) {
  const bool found = co_await there;
  co_return found ? part : nullptr;
}

/// One task of a reader is under way.
class Turn {
 public:
  explicit Turn(bool& taken) : taken_(taken) {
    if (taken_) throw UsageError("a form is read by two at once: await one read before the next");
    taken_ = true;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { taken_ = false; }

 private:
  bool& taken_;
};

}  // namespace

struct MultipartPart::State {
  State(std::string_view content_type, const MultipartReaderOptions& options)
      : parser(parser_for(content_type, options)) {}

  /// The next event; its data is valid until the next call.
  static Task<http::MultipartParser::Step> advance(State* self) {
    for (;;) {
      const auto step = self->parser.next(self->rest);
      if (!step) refuse(step.error());
      self->rest.remove_prefix(step->consumed);
      if (step->event != Event::need_more) co_return *step;
      self->rest = co_await self->source->read();
      if (self->rest.empty()) refuse(make_error_code(http::MultipartError::truncated));
    }
  }

  static Task<bool> next_part(State* self) {
    const Turn turn(self->taken);
    while (!self->done) {
      const http::MultipartParser::Step step = co_await advance(self);
      if (step.event == Event::part_begin) {
        self->in_part = true;
        co_return true;
      }
      self->done = step.event == Event::done;
    }
    self->in_part = false;
    co_return false;
  }

  static Task<std::string_view> read(State* self) {
    const Turn turn(self->taken);
    if (!self->in_part) co_return std::string_view();
    const http::MultipartParser::Step step = co_await advance(self);
    if (step.event == Event::data) co_return step.data;
    self->in_part = false;
    co_return std::string_view();
  }

  static Task<std::string> read_all(State* self, std::size_t max_bytes) {
    std::string all;
    for (;;) {
      const std::string_view piece = co_await read(self);
      if (piece.empty()) co_return all;
      if (piece.size() > max_bytes - all.size()) {
        throw HTTPError(413, "a part of the form is too large");
      }
      all += piece;
    }
  }

  std::unique_ptr<BodySource> own_source;
  BodySource* source = nullptr;
  http::MultipartParser parser;
  std::string_view rest;  // of the source's piece
  bool in_part = false;
  bool done = false;
  bool taken = false;
};

const std::string& MultipartPart::name() const noexcept { return state_->parser.part().name(); }
bool MultipartPart::has_filename() const noexcept { return state_->parser.part().has_filename(); }
const std::string& MultipartPart::filename() const noexcept {
  return state_->parser.part().filename();
}
std::string_view MultipartPart::content_type() const noexcept {
  return state_->parser.part().content_type();
}
std::string_view MultipartPart::field(std::string_view name) const noexcept {
  return state_->parser.part().field(name);
}
Task<std::string_view> MultipartPart::read() { return State::read(state_); }
Task<std::string> MultipartPart::read_all(std::size_t max_bytes) {
  return State::read_all(state_, max_bytes);
}

MultipartReader::MultipartReader(const HTTPServerRequest& request,
                                 const MultipartReaderOptions& options) {
  auto state = std::make_unique<MultipartPart::State>(request.header("Content-Type"), options);
  state->own_source = std::make_unique<RequestSource>(request);
  state->source = state->own_source.get();
  part_.state_ = state.release();
}

MultipartReader::MultipartReader(std::string_view content_type, BodySource& source,
                                 const MultipartReaderOptions& options) {
  part_.state_ = new MultipartPart::State(content_type, options);
  part_.state_->source = &source;
}

MultipartReader::~MultipartReader() { delete part_.state_; }

Task<MultipartPart*> MultipartReader::next_part() {
  return part_or_none(MultipartPart::State::next_part(part_.state_), &part_);
}

}  // namespace squall::web
