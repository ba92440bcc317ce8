// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/result.hpp>
#include <squall/loop/unique_fd.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace squall::web {

/// A temporary file without a name, which the threads of the executor write and read. Its calls
/// block. One thread writes at a time, and nobody reads before the last write has ended.
class UploadSpool {
 public:
  /// `directory` of "" is $TMPDIR, or /tmp.
  explicit UploadSpool(std::string_view directory) : directory_(directory) {}
  UploadSpool(const UploadSpool&) = delete;
  UploadSpool& operator=(const UploadSpool&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// Appends; the first call makes the file.
  [[nodiscard]] std::error_code append(std::string_view bytes) noexcept;
  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::size_t bytes) const;
  /// Makes it a file of that name.
  [[nodiscard]] std::error_code save(const std::string& path) const;
  [[nodiscard]] int fd() const noexcept { return file_.get(); }

 private:
  ~UploadSpool() = default;
  [[nodiscard]] std::error_code open() noexcept;

  std::atomic<int> references_{1};
  std::string directory_;
  UniqueFd file_;
};

/// Owns a reference.
class UploadSpoolRef {
 public:
  UploadSpoolRef() noexcept = default;
  explicit UploadSpoolRef(UploadSpool* adopted) noexcept : spool_(adopted) {}
  UploadSpoolRef(const UploadSpoolRef& other) noexcept : spool_(other.spool_) {
    if (spool_ != nullptr) spool_->retain();
  }
  UploadSpoolRef(UploadSpoolRef&& other) noexcept : spool_(std::exchange(other.spool_, nullptr)) {}
  UploadSpoolRef& operator=(UploadSpoolRef other) noexcept {
    std::swap(spool_, other.spool_);
    return *this;
  }
  ~UploadSpoolRef() {
    if (spool_ != nullptr) spool_->release();
  }
  [[nodiscard]] UploadSpool* get() const noexcept { return spool_; }
  UploadSpool* operator->() const noexcept { return spool_; }
  explicit operator bool() const noexcept { return spool_ != nullptr; }
  [[nodiscard]] UploadSpool* release() noexcept { return std::exchange(spool_, nullptr); }

 private:
  UploadSpool* spool_ = nullptr;
};

/// Writes `bytes` under a name, as UploadSpool::save() does.
[[nodiscard]] std::error_code save_bytes(std::string_view bytes, const std::string& path);

}  // namespace squall::web
