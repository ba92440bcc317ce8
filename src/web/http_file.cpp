// SPDX-License-Identifier: Apache-2.0
#include "web/upload_spool.hpp"

#include <squall/base/error.hpp>
#include <squall/loop/executor.hpp>
#include <squall/web/http_file.hpp>

#include <utility>

namespace squall::web {
namespace {

Result<std::string> read_spool(const UploadSpoolRef& spool, std::uint64_t offset,
                               std::size_t bytes) {
  return spool->read(offset, bytes);
}
std::error_code save_spool(const UploadSpoolRef& spool, const std::string& path) {
  return spool->save(path);
}

Task<std::string> read_on_executor(UploadSpoolRef spool, std::uint64_t offset, std::size_t bytes) {
  Result<std::string> got = co_await run_in_executor(&read_spool, spool, offset, bytes);
  co_return std::move(got).value();
}

Task<std::string> give(std::string bytes) { co_return std::move(bytes); }

Task<> save_on_executor(UploadSpoolRef spool, std::string bytes, std::string path) {
  std::error_code error;
  if (spool) {
    error = co_await run_in_executor(&save_spool, spool, path);
  } else {
    error = co_await run_in_executor(&save_bytes, bytes, path);
  }
  if (error) throw std::system_error(error, path);
}

}  // namespace

HTTPFile::HTTPFile(HTTPFile&& other) noexcept
    : name(std::move(other.name)),
      filename(std::move(other.filename)),
      content_type(std::move(other.content_type)),
      size_(std::exchange(other.size_, 0)),
      memory_(std::move(other.memory_)),
      spool_(std::exchange(other.spool_, nullptr)) {}

HTTPFile& HTTPFile::operator=(HTTPFile&& other) noexcept {
  if (this == &other) return *this;
  name = std::move(other.name);
  filename = std::move(other.filename);
  content_type = std::move(other.content_type);
  size_ = std::exchange(other.size_, 0);
  memory_ = std::move(other.memory_);
  if (spool_ != nullptr) spool_->release();
  spool_ = std::exchange(other.spool_, nullptr);
  return *this;
}

HTTPFile::~HTTPFile() {
  if (spool_ != nullptr) spool_->release();
}

std::string_view HTTPFile::body() const {
  if (spool_ != nullptr) {
    throw UsageError("the file \"" + filename +
                     "\" is too large to be in memory: read() it in pieces, or save_to() a path");
  }
  return memory_;
}

int HTTPFile::fd() const noexcept { return spool_ != nullptr ? spool_->fd() : -1; }

Task<std::string> HTTPFile::read(std::uint64_t offset, std::size_t bytes) const {
  if (spool_ == nullptr) {
    if (offset >= memory_.size()) return give({});
    return give(memory_.substr(static_cast<std::size_t>(offset), bytes));
  }
  spool_->retain();
  return read_on_executor(UploadSpoolRef(spool_), offset, bytes);
}

Task<> HTTPFile::save_to(std::string_view path) const {
  if (spool_ == nullptr) return save_on_executor({}, memory_, std::string(path));
  spool_->retain();
  return save_on_executor(UploadSpoolRef(spool_), {}, std::string(path));
}

}  // namespace squall::web
