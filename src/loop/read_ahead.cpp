// SPDX-License-Identifier: Apache-2.0
#include "loop/read_ahead.hpp"

#include "base/logging.hpp"
#include "loop/loop_core.hpp"
#include "loop/stream.hpp"

#include <squall/base/error.hpp>
#include <squall/loop/executor.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

namespace squall::loop {
namespace {

constexpr std::size_t probe_step = 128 * 1024;

std::atomic<ResidencyProbe> replaced_probe{nullptr};

/// One byte, without waiting. An error other than "it would wait" is left to who sends.
bool is_resident(int file, off_t offset) noexcept {
  char byte;
  iovec part{&byte, 1};
  ssize_t got;
  do {
    got = ::preadv2(file, &part, 1, offset, RWF_NOWAIT);
  } while (got < 0 && errno == EINTR);
  return got >= 0 || errno != EAGAIN;
}

/// On a thread of the executor: when it returns, the pages are there, or cannot be had.
void load(UniqueFd file, off_t offset, std::size_t bytes) {
  const auto length = static_cast<off_t>(bytes);
  static_cast<void>(::posix_fadvise(file.get(), offset, length, POSIX_FADV_WILLNEED));
  char buffer[64 * 1024];
  while (bytes > 0) {
    const ssize_t got = ::pread(file.get(), buffer, std::min(bytes, sizeof buffer), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    offset += got;
    bytes -= static_cast<std::size_t>(got);
  }
  // The disk goes on while this window is sent.
  static_cast<void>(::posix_fadvise(file.get(), offset, length, POSIX_FADV_WILLNEED));
}

}  // namespace

std::size_t resident_bytes(int file, off_t offset, std::size_t bytes) noexcept {
  if (const ResidencyProbe probe = replaced_probe.load(std::memory_order_relaxed)) {
    return probe(file, offset, bytes);
  }
  for (std::size_t at = 0; at < bytes; at += probe_step) {
    if (!is_resident(file, offset + static_cast<off_t>(at))) return at;
  }
  const bool last = bytes <= 1 || is_resident(file, offset + static_cast<off_t>(bytes - 1));
  return last ? bytes : (bytes - 1) / probe_step * probe_step;
}

void set_residency_probe(ResidencyProbe probe) noexcept { replaced_probe = probe; }

ReadAhead::ReadAhead(Stream& stream, int file, off_t end) noexcept
    : stream_(&stream), file_(file), end_(end) {
  stream.busy().reading = this;
}

ReadAhead::~ReadAhead() {
  if (stream_ == nullptr) return;
  stream_->busy().reading = nullptr;
  Segment* const front = stream_->output().front();
  if (front != nullptr && front->kind == Segment::Kind::file) {
    auto& segment = static_cast<FileSegment&>(*front);
    // Not looked at again: under pressure the pages may be gone already, and it must get on.
    if (segment.file.get() == file_) segment.ready_end = std::max(segment.ready_end, end_);
  }
  stream_->schedule_flush();
}

Task<> ReadAhead::run(Stream* stream, int file, UniqueFd copy, off_t offset, std::size_t bytes) {
  const ReadAhead self(*stream, file, offset + static_cast<off_t>(bytes));
  try {
    co_await Executor::shared().run(&load, std::move(copy), offset, bytes);
  } catch (const CancelledError&) {
    throw;
  } catch (const Error& error) {
    log::format(log::Level::warning, "loop", "a file is read on the loop's own thread: {}",
                error.what());
  }
}

void ReadAhead::begin(Stream& stream, int file, off_t offset, std::size_t bytes) {
  UniqueFd copy(::fcntl(file, F_DUPFD_CLOEXEC, 0));
  stream.core().spawn(run(&stream, file, std::move(copy), offset, bytes));
}

}  // namespace squall::loop
