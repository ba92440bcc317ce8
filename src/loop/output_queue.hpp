// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/shared_bytes.hpp"
#include "loop/shared_file.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <sys/uio.h>

namespace squall::loop {

class BlockPool;

/// One run of output bytes: a block of the loop's pool, a string taken over or shared, or a
/// part of a file.
struct Segment {
  enum class Kind : std::uint8_t { small_block, medium_block, large_block, owned, shared, file };

  Segment* next = nullptr;     // in a queue: the last one's is the front
  const char* data = nullptr;  // first byte not sent yet; unused for files
  std::size_t size = 0;        // bytes not sent yet
  std::uint32_t room = 0;      // blocks: free bytes behind them
  Kind kind;

  explicit Segment(Kind what) noexcept : kind(what) {}
};

struct FileSegment : Segment {
  FileSegment(SharedFile what, off_t from) noexcept
      : Segment(Kind::file), file(std::move(what)), offset(from) {}
  SharedFile file;
  off_t offset;
  off_t ready_end = 0;  // up to here it can be read without waiting for the disk
};

/// The loop's stock of output blocks. A connection holds some only while it has output waiting.
class BlockPool {
 public:
  BlockPool() noexcept = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  /// A block with room for `bytes`, or the largest kind when they are more than it holds.
  Segment* take(std::size_t bytes);
  void give_back(Segment* block) noexcept;

 private:
  struct Stock {
    Segment* head = nullptr;
    std::size_t count = 0;
  };
  Stock stock_[3];
};

/// Output of one connection that the kernel has not taken yet, in order.
///
/// Writers append; the engine takes from the front. Two words, and nothing more when empty.
class OutputQueue {
 public:
  OutputQueue() noexcept = default;
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return bytes_; }
  [[nodiscard]] bool is_empty() const noexcept { return bytes_ == 0; }

  /// Contiguous space for `bytes` (at most 16 KiB), to be filled and then committed.
  char* prepare(BlockPool& pool, std::size_t bytes) {
    if (tail_ == nullptr || tail_->room < bytes) append_block(pool, bytes);
    return const_cast<char*>(tail_->data) + tail_->size;
  }
  void commit(std::size_t bytes) noexcept {
    tail_->size += bytes;
    tail_->room -= static_cast<std::uint32_t>(bytes);
    bytes_ += bytes;
  }

  void write(BlockPool& pool, std::string_view bytes) {
    if (bytes.empty()) return;
    if (tail_ != nullptr && tail_->room >= bytes.size()) {
      std::memcpy(const_cast<char*>(tail_->data) + tail_->size, bytes.data(), bytes.size());
      commit(bytes.size());
    } else {
      write_slowly(pool, bytes);
    }
  }
  /// Takes the string over instead of copying it.
  void write_owned(std::string&& bytes);
  /// Adds a reference instead of a copy.
  void write_shared(SharedBytes bytes);
  void write_file(SharedFile file, off_t offset, std::size_t bytes);

  /// The front segment, or nullptr.
  [[nodiscard]] Segment* front() const noexcept { return tail_ != nullptr ? tail_->next : nullptr; }
  /// What comes behind a segment of this queue, or nullptr.
  [[nodiscard]] const Segment* after(const Segment& segment) const noexcept {
    return &segment != tail_ ? segment.next : nullptr;
  }
  /// Describes up to `limit` memory segments from the front, up to the first file.
  std::size_t gather(iovec* out, std::size_t limit) const noexcept;
  /// Drops `bytes` from the front; emptied segments go back where they came from.
  void consume(BlockPool& pool, std::size_t bytes) noexcept;
  void clear(BlockPool& pool) noexcept;

 private:
  void append(Segment* segment) noexcept;
  void append_block(BlockPool& pool, std::size_t bytes);
  void write_slowly(BlockPool& pool, std::string_view bytes);
  void drop_front(BlockPool& pool) noexcept;

  Segment* tail_ = nullptr;  // of a ring: the front is behind it
  std::size_t bytes_ = 0;
};

}  // namespace squall::loop
