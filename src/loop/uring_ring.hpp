// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/loop/unique_fd.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <liburing.h>
#include <memory>
#include <span>
#include <string>

namespace squall::loop {

/// A ring of the calling thread with a stock of receive buffers, tried out before use.
class UringRing {
 public:
  /// What is asked of the kernel at set-up. Tests put a refusal in its place.
  struct Calls {
    int (*init)(unsigned, io_uring*, io_uring_params*);
    int (*register_buffers)(io_uring*, io_uring_buf_reg*, unsigned);
  };
  static Calls calls;

  /// The best ring that this kernel gives; nullptr when it gives none that is good for us, and then
  /// `why` says what failed.
  static std::unique_ptr<UringRing> make(std::string& why);

  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;
  ~UringRing();

  [[nodiscard]] io_uring& raw() noexcept { return ring_; }
  /// The set-up flags that decide how it runs, for tests.
  [[nodiscard]] unsigned flags() const noexcept { return ring_.flags; }
  /// False in a child of fork(), which has neither the ring's memory nor a right to it.
  [[nodiscard]] bool is_ours() const noexcept;

  /// An entry to fill in. It is never refused: what the ring cannot hold waits for submit().
  io_uring_sqe& next_sqe() noexcept;
  /// The same, but nullptr when it would have to wait; `position` is its place, for is_consumed().
  io_uring_sqe* try_next_sqe(std::uint32_t& position) noexcept;
  /// Whether the kernel has taken the entry at `position`.
  [[nodiscard]] bool is_consumed(std::uint32_t position) const noexcept;
  /// Whether it has taken all of them.
  [[nodiscard]] bool is_all_consumed() const noexcept;
  /// Hands over what is filled in, and lets what is done be reported.
  void submit() noexcept;
  /// The same, and waits for a report for at most `timeout_ms` (-1: for ever, 0: not at all).
  void submit_and_wait(int timeout_ms) noexcept;

  static constexpr std::size_t buffer_bytes = 32 * 1024;
  static constexpr unsigned buffer_count = 64;
  static constexpr unsigned short buffer_group = 0;

  /// What the kernel has put into buffer `id`.
  [[nodiscard]] std::span<char> received(unsigned id, std::size_t bytes) noexcept;
  void give_back(unsigned id) noexcept;
  [[nodiscard]] unsigned free_buffers() const noexcept { return free_buffers_; }

  /// The kernel may still write to the buffers: they stay when the ring goes.
  void abandon_buffers() noexcept { memory_bytes_ = 0; }

 private:
  UringRing() noexcept = default;

  [[nodiscard]] std::string set_up(unsigned flags);
  int open(unsigned flags) noexcept;
  [[nodiscard]] const char* missing_operation() noexcept;
  int add_buffers() noexcept;
  [[nodiscard]] const char* failed_trial() noexcept;
  [[nodiscard]] const char* failed_receiving(const UniqueFd& end, const UniqueFd& peer) noexcept;
  [[nodiscard]] const char* failed_sending(const UniqueFd& end, const UniqueFd& peer) noexcept;
  bool next_report(io_uring_cqe& report, int timeout_ms) noexcept;
  void submit_backlog() noexcept;

  io_uring ring_{};
  bool open_ = false;
  unsigned free_buffers_ = 0;
  unsigned forks_ = 0;
  std::size_t memory_bytes_ = 0;
  io_uring_buf_ring* buffer_ring_ = nullptr;  // at the start of the memory
  char* buffers_ = nullptr;
  std::deque<io_uring_sqe> backlog_;
};

}  // namespace squall::loop
