// SPDX-License-Identifier: Apache-2.0
#include "loop/output_queue.hpp"

#include <squall/base/pool.hpp>

#include <algorithm>
#include <new>

namespace squall::loop {
namespace {

struct OwnedSegment : Segment {
  explicit OwnedSegment(std::string&& bytes) noexcept
      : Segment(Kind::owned), text(std::move(bytes)) {
    data = text.data();
    size = text.size();
  }
  std::string text;
};

struct SharedSegment : Segment {
  explicit SharedSegment(SharedBytes&& what) noexcept
      : Segment(Kind::shared), bytes(std::move(what)) {
    data = bytes.view().data();
    size = bytes.size();
  }
  SharedBytes bytes;
};

template <class T>
void free_segment(Segment* segment) noexcept {
  auto* const made = static_cast<T*>(segment);
  made->~T();
  detail::pool_deallocate(made, sizeof(T));
}

struct BlockClass {
  std::size_t bytes;  // with the segment's head
  std::size_t keep;   // blocks kept in stock
};
// Small ones hold a usual response or a handful of frames; a broadcast takes one for each client.
constexpr BlockClass block_classes[] = {{2048, 1024}, {16 * 1024 + 128, 128}, {64 * 1024, 32}};

constexpr std::size_t room_of(std::size_t index) {
  return block_classes[index].bytes - sizeof(Segment);
}

}  // namespace

BlockPool::~BlockPool() {
  for (Stock& stock : stock_) {
    while (stock.head != nullptr) ::operator delete(std::exchange(stock.head, stock.head->next));
  }
}

Segment* BlockPool::take(std::size_t bytes) {
  const std::size_t index = bytes <= room_of(0) ? 0 : bytes <= room_of(1) ? 1 : 2;
  Stock& stock = stock_[index];
  void* memory = stock.head;
  if (memory != nullptr) {
    stock.head = stock.head->next;
    --stock.count;
  } else {
    memory = ::operator new(block_classes[index].bytes);
  }
  auto* const block = ::new (memory) Segment(static_cast<Segment::Kind>(index));
  block->data = static_cast<char*>(memory) + sizeof(Segment);
  block->room = static_cast<std::uint32_t>(room_of(index));
  return block;
}

void BlockPool::give_back(Segment* block) noexcept {
  const auto index = static_cast<std::size_t>(block->kind);
  Stock& stock = stock_[index];
  if (stock.count >= block_classes[index].keep) {
    ::operator delete(block);
    return;
  }
  block->next = stock.head;
  stock.head = block;
  ++stock.count;
}

void OutputQueue::append(Segment* segment) noexcept {
  if (tail_ != nullptr) {
    segment->next = tail_->next;
    tail_->next = segment;
  } else {
    segment->next = segment;
  }
  tail_ = segment;
}

void OutputQueue::append_block(BlockPool& pool, std::size_t bytes) { append(pool.take(bytes)); }

void OutputQueue::write_slowly(BlockPool& pool, std::string_view bytes) {
  while (!bytes.empty()) {
    if (tail_ == nullptr || tail_->room == 0) append_block(pool, bytes.size());
    const std::size_t part = std::min<std::size_t>(bytes.size(), tail_->room);
    std::memcpy(const_cast<char*>(tail_->data) + tail_->size, bytes.data(), part);
    commit(part);
    bytes.remove_prefix(part);
  }
}

void OutputQueue::write_owned(std::string&& bytes) {
  if (bytes.empty()) return;
  auto* const segment =
      ::new (detail::pool_allocate(sizeof(OwnedSegment))) OwnedSegment(std::move(bytes));
  bytes_ += segment->size;
  append(segment);
}

void OutputQueue::write_shared(SharedBytes bytes) {
  if (bytes.size() == 0) return;
  auto* const segment =
      ::new (detail::pool_allocate(sizeof(SharedSegment))) SharedSegment(std::move(bytes));
  bytes_ += segment->size;
  append(segment);
}

void OutputQueue::write_file(SharedFile file, off_t offset, std::size_t bytes) {
  if (bytes == 0) return;
  auto* const segment =
      ::new (detail::pool_allocate(sizeof(FileSegment))) FileSegment(std::move(file), offset);
  segment->size = bytes;
  bytes_ += bytes;
  append(segment);
}

std::size_t OutputQueue::gather(iovec* out, std::size_t limit) const noexcept {
  std::size_t count = 0;
  for (const Segment* segment = front();
       segment != nullptr && segment->kind != Segment::Kind::file && count < limit;
       segment = after(*segment)) {
    if (segment->size == 0) continue;
    out[count].iov_base = const_cast<char*>(segment->data);
    out[count].iov_len = segment->size;
    ++count;
  }
  return count;
}

void OutputQueue::drop_front(BlockPool& pool) noexcept {
  Segment* const segment = tail_->next;
  if (segment == tail_) {
    tail_ = nullptr;
  } else {
    tail_->next = segment->next;
  }
  switch (segment->kind) {
    case Segment::Kind::owned:
      free_segment<OwnedSegment>(segment);
      break;
    case Segment::Kind::shared:
      free_segment<SharedSegment>(segment);
      break;
    case Segment::Kind::file:
      free_segment<FileSegment>(segment);
      break;
    default:
      pool.give_back(segment);
  }
}

void OutputQueue::consume(BlockPool& pool, std::size_t bytes) noexcept {
  bytes_ -= bytes;
  while (tail_ != nullptr && bytes >= front()->size) {
    bytes -= front()->size;
    drop_front(pool);
  }
  if (bytes == 0 || tail_ == nullptr) return;
  Segment& first = *front();
  first.size -= bytes;
  if (first.kind == Segment::Kind::file) {
    static_cast<FileSegment&>(first).offset += static_cast<off_t>(bytes);
  } else {
    first.data += bytes;
  }
}

void OutputQueue::clear(BlockPool& pool) noexcept {
  while (tail_ != nullptr) drop_front(pool);
  bytes_ = 0;
}

}  // namespace squall::loop
