// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/multipart.hpp"
#include "web/upload_spool.hpp"

#include <squall/base/limits.hpp>
#include <squall/base/result.hpp>
#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/detail/task_runner.hpp>
#include <squall/coro/task.hpp>
#include <squall/web/http_file.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace squall::web {

/// Why an upload was refused, beside http::MultipartError.
enum class UploadError : std::uint8_t {
  value_too_large = 1,  ///< 413: a field's value is past its limit, or all of them together
  disk_full,            ///< 507: no space for a temporary file
  disk_failed,          ///< 500: a temporary file could not be made or written
  too_busy,             ///< 503: the executor's queue is full
};
std::error_code make_error_code(UploadError error) noexcept;
/// The status for an error of a FormReader.
[[nodiscard]] int status_for_form(std::error_code error) noexcept;

/// Gathers the arguments and files of a multipart/form-data body as its pieces arrive.
///
/// Values, and files as long as all of them are small, stay in memory; a file past that goes to a
/// temporary file, written by threads of the executor, so that a slow disk never blocks the loop.
/// It belongs to one loop. It may be destroyed at any time, also while a write runs.
class FormReader {
 public:
  struct Options {
    http::MultipartLimits multipart = {};
    std::size_t max_value_bytes = limits::form_value_bytes;      ///< of one field
    std::size_t max_values_bytes = limits::buffered_body_bytes;  ///< of all fields
    std::size_t memory_bytes = limits::form_memory_bytes;        ///< of all files in memory
    std::string_view directory = {};  ///< of temporary files; "" is $TMPDIR, or /tmp
  };
  using Arguments = std::vector<std::pair<std::string, std::string>>;
  using Notice = void (*)(void* context) noexcept;

  /// Errors are http::MultipartError's.
  static Result<std::unique_ptr<FormReader>> create(std::string_view content_type,
                                                    const Options& options);
  FormReader(const FormReader&) = delete;
  FormReader& operator=(const FormReader&) = delete;

  /// Takes the next piece of the body. After an error no more may come.
  Result<void> feed(std::string_view piece);
  /// To be called once, after the last piece.
  Result<void> end();

  /// More bytes wait for the disk than limits::form_backlog_bytes: pause reading. They are kept
  /// all the same when feed() is called.
  [[nodiscard]] bool is_congested() const noexcept {
    return backlog_bytes_ > limits::form_backlog_bytes;
  }
  /// Nothing waits for the disk. After end(), arguments and files are complete then.
  [[nodiscard]] bool is_settled() const noexcept { return backlog_bytes_ == 0 && !error_; }
  /// What went wrong on the disk; none so far.
  [[nodiscard]] std::error_code error() const noexcept { return error_; }
  /// `notice` is called in a turn of the loop after a write has ended: is_congested(), is_settled()
  /// and error() may be different then. It may destroy this.
  void set_notice(Notice notice, void* context) noexcept {
    notice_ = notice;
    context_ = context;
  }

  /// To be moved from, once it is_settled() after end(). Files without a name are arguments, as
  /// browsers send them for inputs that were left empty.
  [[nodiscard]] Arguments& arguments() noexcept { return arguments_; }
  [[nodiscard]] std::vector<HTTPFile>& files() noexcept { return files_; }

 private:
  struct Chunk {
    UploadSpoolRef spool;
    std::string bytes;
  };
  struct News final : squall::detail::ReadyNode {
    explicit News(FormReader& of) noexcept : ReadyNode(&run_news), reader(of) {}
    FormReader& reader;
  };

  FormReader(http::MultipartParser parser, const Options& options);
  static void run_news(squall::detail::ReadyNode& node) noexcept;
  static Task<> write_backlog(FormReader* self);
  static void written(void* context, std::exception_ptr error) noexcept;
  void begin_part();
  std::error_code take(std::string_view data);
  std::error_code take_value(std::string_view data);
  void take_file(std::string_view data);
  void spool_later(std::string_view data);
  void wrote(std::size_t bytes, std::error_code error) noexcept;

  http::MultipartParser parser_;
  std::string directory_;
  std::size_t max_value_bytes_;
  std::size_t values_left_;
  std::size_t memory_left_;

  Arguments arguments_;
  std::vector<HTTPFile> files_;
  bool in_file_ = false;  // the part that is being read

  std::deque<Chunk> backlog_;
  std::size_t backlog_bytes_ = 0;  // with those of the write that runs
  std::error_code error_;
  Notice notice_ = nullptr;
  void* context_ = nullptr;
  News news_;
  squall::detail::TaskRunner writer_;
};

}  // namespace squall::web

template <>
struct std::is_error_code_enum<squall::web::UploadError> : std::true_type {};
