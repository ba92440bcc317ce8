// SPDX-License-Identifier: Apache-2.0
#include "web/form_reader.hpp"

#include <squall/loop/executor.hpp>

#include <cerrno>

namespace squall::web {
namespace {

// Bytes that one write takes at most, so that it is done in good time and others get their turn.
constexpr std::size_t write_bytes = 1024 * 1024;

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.web.upload"; }
  std::string message(int value) const override {
    switch (static_cast<UploadError>(value)) {
      case UploadError::value_too_large:
        return "value of a form's field too large";
      case UploadError::disk_full:
        return "no space on disk for an upload";
      case UploadError::disk_failed:
        return "cannot write an upload to disk";
      case UploadError::too_busy:
        return "too busy to write an upload to disk";
    }
    return "unknown error";
  }
};

std::error_code append_to(const UploadSpoolRef& spool, const std::string& bytes) {
  return spool->append(bytes);
}

UploadError disk_error(std::error_code error) noexcept {
  const int number = error.value();
  return number == ENOSPC || number == EDQUOT || number == EFBIG ? UploadError::disk_full
                                                                 : UploadError::disk_failed;
}

}  // namespace

std::error_code make_error_code(UploadError error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

int status_for_form(std::error_code error) noexcept {
  if (error.category() == make_error_code(http::MultipartError::truncated).category()) {
    return http::status_for(static_cast<http::MultipartError>(error.value()));
  }
  if (error == UploadError::value_too_large) return 413;
  if (error == UploadError::disk_full) return 507;
  if (error == UploadError::too_busy) return 503;
  return 500;
}

FormReader::FormReader(http::MultipartParser parser, const Options& options)
    : parser_(std::move(parser)),
      directory_(options.directory),
      max_value_bytes_(options.max_value_bytes),
      values_left_(options.max_values_bytes),
      memory_left_(options.memory_bytes),
      news_(*this) {}

Result<std::unique_ptr<FormReader>> FormReader::create(std::string_view content_type,
                                                       const Options& options) {
  Result<http::MultipartParser> parser =
      http::MultipartParser::create(content_type, options.multipart);
  if (!parser) return parser.error();
  return std::unique_ptr<FormReader>(new FormReader(std::move(*parser), options));
}

Result<void> FormReader::feed(std::string_view piece) {
  using Event = http::MultipartParser::Event;
  for (;;) {
    const auto step = parser_.next(piece);
    if (!step) return step.error();
    piece.remove_prefix(step->consumed);
    switch (step->event) {
      case Event::part_begin:
        begin_part();
        break;
      case Event::data:
        if (const auto error = take(step->data)) return error;
        break;
      case Event::part_end:
        break;
      case Event::need_more:
      case Event::done:
        return error_;
    }
  }
}

Result<void> FormReader::end() {
  if (error_) return error_;
  return parser_.finish();
}

void FormReader::begin_part() {
  const http::PartHead& head = parser_.part();
  in_file_ = !head.filename().empty() && head.has_filename();
  if (!in_file_) {
    arguments_.emplace_back(head.name(), std::string());
    return;
  }
  HTTPFile& file = files_.emplace_back();
  file.name = head.name();
  file.filename = head.filename();
  if (const auto type = head.content_type(); !type.empty()) file.content_type = type;
}

std::error_code FormReader::take(std::string_view data) {
  if (!in_file_) return take_value(data);
  take_file(data);
  return {};
}

std::error_code FormReader::take_value(std::string_view data) {
  std::string& value = arguments_.back().second;
  if (data.size() > values_left_ || data.size() > max_value_bytes_ - value.size()) {
    return UploadError::value_too_large;
  }
  values_left_ -= data.size();
  value.append(data);
  return {};
}

void FormReader::take_file(std::string_view data) {
  HTTPFile& file = files_.back();
  file.size_ += data.size();
  if (file.spool_ == nullptr) {
    if (data.size() <= memory_left_) {
      memory_left_ -= data.size();
      file.memory_.append(data);
      return;
    }
    file.spool_ = new UploadSpool(directory_);
    memory_left_ += file.memory_.size();
    const std::string before = std::exchange(file.memory_, {});
    spool_later(before);
  }
  spool_later(data);
}

void FormReader::spool_later(std::string_view data) {
  if (data.empty() || error_) return;
  UploadSpool* const spool = files_.back().spool_;
  backlog_bytes_ += data.size();
  if (!backlog_.empty() && backlog_.back().spool.get() == spool &&
      backlog_.back().bytes.size() + data.size() <= write_bytes) {
    backlog_.back().bytes.append(data);
  } else {
    spool->retain();
    backlog_.push_back({UploadSpoolRef(spool), std::string(data)});
  }
  if (!writer_.is_running()) {
    writer_.start(write_backlog(this), nullptr, &FormReader::written, this);
  }
}

// What it works with is its own and the job's: this may go while it waits.
Task<> FormReader::write_backlog(FormReader* self) {
  while (!self->backlog_.empty() && !self->error_) {
    Chunk chunk = std::move(self->backlog_.front());
    self->backlog_.pop_front();
    const std::size_t size = chunk.bytes.size();
    const std::error_code error =
        co_await run_in_executor(&append_to, std::move(chunk.spool), std::move(chunk.bytes));
    self->wrote(size, error);
  }
}

void FormReader::written(void* context, std::exception_ptr error) noexcept {
  // The one thing that throws there is a full queue of the executor.
  auto* const self = static_cast<FormReader*>(context);
  if (!error) return;
  self->error_ = UploadError::too_busy;
  self->backlog_.clear();
  self->backlog_bytes_ = 0;
  if (!self->news_.is_linked()) squall::detail::Scheduler::current().make_ready(self->news_);
}

void FormReader::wrote(std::size_t bytes, std::error_code error) noexcept {
  backlog_bytes_ -= bytes;
  if (error) {
    error_ = disk_error(error);
    backlog_.clear();
    backlog_bytes_ = 0;
  }
  // Not from here: whoever hears it may destroy this, and with it the coroutine that runs.
  if (!news_.is_linked()) squall::detail::Scheduler::current().make_ready(news_);
}

void FormReader::run_news(squall::detail::ReadyNode& node) noexcept {
  FormReader& self = static_cast<News&>(node).reader;
  if (self.notice_ != nullptr) self.notice_(self.context_);
}

}  // namespace squall::web
