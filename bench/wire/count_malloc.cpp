// SPDX-License-Identifier: Apache-2.0
//
// Counts heap calls of the process it is preloaded into. On SIGUSR1 it appends the counts as one
// line to the file named by COUNT_MALLOC_FILE, or to standard error. operator new is counted
// once, through the malloc() it calls.
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

// glibc's own allocator, under the names it keeps for this purpose.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* old);
}

namespace {

struct Counter {
  std::string_view name;
  std::atomic<std::uint64_t> count{0};

  void add() { count.fetch_add(1, std::memory_order_relaxed); }
};

constinit Counter mallocs{"malloc"};
constinit Counter callocs{"calloc"};
constinit Counter reallocs{"realloc"};
constinit Counter aligned{"aligned"};
constinit Counter frees{"free"};
constinit std::atomic<std::uint64_t> bytes{0};

char* append(char* at, char* end, std::string_view name, std::uint64_t value) {
  std::memcpy(at, name.data(), name.size());
  at += name.size();
  *at++ = ' ';
  at = std::to_chars(at, end, value).ptr;
  *at++ = ' ';
  return at;
}

/// Async-signal-safe: no allocation, no stdio.
void report(int) {
  const int saved = errno;
  std::array<char, 256> line;
  char* at = line.data();
  for (const Counter* counter : {&mallocs, &callocs, &reallocs, &aligned, &frees}) {
    at = append(at, line.data() + line.size(), counter->name, counter->count.load());
  }
  at = append(at, line.data() + line.size(), "bytes", bytes.load());
  at[-1] = '\n';
  const char* const path = std::getenv("COUNT_MALLOC_FILE");
  const int fd =
      path != nullptr ? ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : 2;
  [[maybe_unused]] const auto written =
      ::write(fd, line.data(), static_cast<std::size_t>(at - line.data()));
  if (fd > 2) ::close(fd);
  errno = saved;
}

__attribute__((constructor)) void install() {
  struct sigaction action {};
  action.sa_handler = report;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &action, nullptr);
}

void* allocate_aligned(std::size_t alignment, std::size_t size) {
  aligned.add();
  bytes.fetch_add(size, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  mallocs.add();
  bytes.fetch_add(size, std::memory_order_relaxed);
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  callocs.add();
  bytes.fetch_add(count * size, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}

void* realloc(void* old, std::size_t size) {
  reallocs.add();
  bytes.fetch_add(size, std::memory_order_relaxed);
  return __libc_realloc(old, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  return allocate_aligned(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return allocate_aligned(alignment, size);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  *out = allocate_aligned(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}

void free(void* old) {
  if (old == nullptr) return;
  frees.add();
  __libc_free(old);
}
}
