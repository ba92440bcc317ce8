// SPDX-License-Identifier: Apache-2.0
#include "log/lane.hpp"

#include "base/log_text.hpp"
#include "log/json.hpp"

#include <spdlog/details/log_msg.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <new>
#include <unistd.h>
#include <utility>

namespace squall::log {
namespace {

// More than this is given back once it has been written.
constexpr std::size_t kept_bytes = 256 * 1024;

bool chooses_colours(const OutputOptions& options, bool to_stderr) {
  if (!to_stderr || options.format != Format::text) return false;
  return options.colours == Colours::always ||
         (options.colours == Colours::automatic && console_has_colours());
}

}  // namespace

Lane::Lane(const OutputOptions& options, bool to_stderr)
    : format_(options.format),
      has_colours_(chooses_colours(options, to_stderr)),
      queue_bytes_(options.queue_bytes),
      formatter_(text_pattern) {
  if (!to_stderr) file_ = std::make_unique<LogFile>(options, std::time(nullptr));
}

bool Lane::add(const Line& line) {
  const std::scoped_lock lock(mutex_);
  const std::size_t before = waiting_.size();
  if (before < queue_bytes_) append(waiting_, line);
  // One line may be larger than the whole queue; it goes when it is alone.
  if (before >= queue_bytes_ || (before != 0 && waiting_.size() > queue_bytes_)) {
    waiting_.resize(before);
    ++lost_;
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  return true;
}

void Lane::append(std::string& out, const Line& line) {
  const auto now = std::chrono::system_clock::now();
  if (format_ == Format::json) {
    const auto since =
        std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
    append_json(out, line, since.count());
    return;
  }
  text_.clear();
  append_text(text_, line);
  const spdlog::details::log_msg message(now, {}, {line.channel.data(), line.channel.size()},
                                         to_spdlog(line.level), {text_.data(), text_.size()});
  formatted_.clear();
  formatter_.format(message, formatted_);
  const std::string_view all(formatted_.data(), formatted_.size());
  if (!has_colours_ || message.color_range_end <= message.color_range_start) {
    out.append(all);
    return;
  }
  const auto colour = colour_of(line.level);
  out.append(all.substr(0, message.color_range_start)).append(colour.data(), colour.size());
  out.append(
      all.substr(message.color_range_start, message.color_range_end - message.color_range_start));
  out.append("\033[m").append(all.substr(message.color_range_end));
}

void Lane::append_report(std::string& out, std::uint64_t lost) {
  const std::string message = std::to_string(lost) + (lost == 1 ? " line was" : " lines were") +
                              " lost here: the log could not be written fast enough";
  const Field fields[] = {{"lost_lines", lost}};
  append(out, {.level = Level::warning,
               .channel = "log",
               .message = message,
               .fields = fields,
               .field_count = 1,
               .message_has_fields = true});
}

void Lane::drain() {
  const std::scoped_lock output_lock(output_mutex_);
  if (file_ != nullptr && must_reopen_.exchange(false, std::memory_order_relaxed)) file_->reopen();
  for (;;) {
    {
      const std::scoped_lock lock(mutex_);
      batch_.clear();
      if (batch_.capacity() > kept_bytes) batch_.shrink_to_fit();
      std::swap(batch_, waiting_);
      if (const std::uint64_t lost = std::exchange(lost_, 0); lost != 0)
        append_report(batch_, lost);
    }
    if (batch_.empty()) return;
    if (const std::uint64_t failed = put(batch_); failed != 0) {
      dropped_.fetch_add(failed, std::memory_order_relaxed);
      const std::scoped_lock lock(mutex_);
      lost_ += failed;
      return;
    }
  }
}

void Lane::close() {
  const std::scoped_lock output_lock(output_mutex_);
  if (file_ != nullptr) file_->close();
}

std::uint64_t Lane::put(std::string_view lines) {
  if (file_ != nullptr) return file_->write(lines, std::time(nullptr));
  while (!lines.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

void Lane::after_fork_in_child() {
  waiting_.clear();
  lost_ = 0;
  mutex_.unlock();
  // A thread that is not here may hold it, and have been in the middle of a batch: both are made
  // anew over what was there, and the old batch is left alone.
  new (&output_mutex_) std::mutex;
  new (&batch_) std::string;
  // A lock on the file is of the opening that parent and child would share.
  reopen();
}

}  // namespace squall::log
