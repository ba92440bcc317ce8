// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/engine.hpp"
#include "loop/uring_ring.hpp"

#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace squall::loop {

class LoopCore;

/// io_uring: receives go on by themselves, and all that a turn has to say to the kernel is said in
/// the call that waits for the next.
///
/// What the kernel has in hand is known by a slot's number and generation, never by an address, and
/// a slot is used again when all its operations have ended. Sends never wait in the kernel: it
/// takes what it can as they are submitted, and reports only those that it could not take whole.
/// Connections are not taken before they are wanted either: they wait in the kernel's queue, where
/// another process that shares the socket can have them.
class UringEngine final : public Engine {
 public:
  /// nullptr when the kernel gives no ring that is good for us, and then `why` says why.
  static std::unique_ptr<UringEngine> make(LoopCore& core, std::string& why);
  ~UringEngine() override;

  [[nodiscard]] std::string_view name() const noexcept override { return "io_uring"; }
  std::error_code attach(Stream& stream) noexcept override;
  void update_receiving(Stream& stream) noexcept override;
  void send(Stream& stream) noexcept override;
  void detach(Stream& stream) noexcept override;
  std::error_code start_accepting(Acceptor& acceptor) noexcept override;
  void stop_accepting(Acceptor& acceptor) noexcept override;
  std::error_code start_watching(Watch& watch) noexcept override;
  void update_watching(Watch& watch) noexcept override;
  void stop_watching(Watch& watch) noexcept override;
  bool wait(int timeout_ms, void (*woke)(void*), void* context) noexcept override;
  void wake() noexcept override;
  void flush() noexcept override;
  void shut_down() noexcept override;

 private:
  enum class Operation : std::uint8_t { none, receive, poll, send, wake };
  /// What is to be polled for. An edge poll reports changes, and once what is so at its start.
  struct Interest {
    std::uint16_t events = 0;
    bool edge = false;
  };
  /// What the kernel has in hand for one descriptor.
  struct Slot {
    Pollable* owner = nullptr;  // null once it has been detached
    std::uint32_t generation = 0;
    std::uint16_t polled = 0;  // while polling, the events of its Interest
    bool polled_edge : 1 = false;
    bool receiving : 1 = false;
    bool polling : 1 = false;
    bool sending : 1 = false;         // one of sends_ is its
    bool ending_receive : 1 = false;  // its cancellation is under way
    bool ending_poll : 1 = false;
    bool edge : 1 = false;     // a watch whose other events would keep a plain poll busy
    bool closing : 1 = false;  // a stream that is gone but for its last send
    bool unsettled : 1 = false;
    bool starved : 1 = false;
  };
  static_assert(sizeof(Slot) <= 16, "every connection has one, idle or not");
  /// Grows a piece at a time: the double of what is there would be most of what a connection costs.
  class SlotTable {
   public:
    [[nodiscard]] Slot& operator[](std::uint32_t index) const noexcept {
      return pieces_[index / piece_slots][index % piece_slots];
    }
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    void add() {
      if (size_ % piece_slots == 0) pieces_.push_back(std::make_unique<Slot[]>(piece_slots));
      ++size_;
    }

   private:
    static constexpr std::uint32_t piece_slots = 128;
    std::vector<std::unique_ptr<Slot[]>> pieces_;
    std::uint32_t size_ = 0;
  };
  /// One that was handed to the kernel, or will be with the next submission.
  struct Send {
    std::uint32_t slot;
    std::uint32_t position;  // in the submission queue
    std::int32_t bytes;
    std::int32_t result;  // `bytes` unless the kernel reports something else
  };

  UringEngine(LoopCore& core, std::unique_ptr<UringRing> ring, UniqueFd wake);

  /// False at the loop's end and in a child of fork(), where nothing can be asked of the kernel.
  [[nodiscard]] bool is_usable() const noexcept { return !ended_ && ring_->is_ours(); }

  // Slots.
  std::uint32_t take_slot(Pollable& owner);
  void free_if_done(std::uint32_t index) noexcept;
  // The number that comes back with a report: operation, slot, generation; of a send, operation and
  // its own number.
  static constexpr unsigned slot_shift = 4;
  static constexpr unsigned generation_shift = 32;
  [[nodiscard]] std::uint64_t name_of(Operation operation, std::uint32_t index) const noexcept {
    return static_cast<std::uint64_t>(operation) | std::uint64_t{index} << slot_shift |
           std::uint64_t{slots_[index].generation} << generation_shift;
  }
  [[nodiscard]] static Operation operation_of(const io_uring_cqe& report) noexcept {
    return static_cast<Operation>(report.user_data & ((1U << slot_shift) - 1));
  }
  [[nodiscard]] static std::uint32_t slot_of(const io_uring_cqe& report) noexcept {
    return static_cast<std::uint32_t>(report.user_data) >> slot_shift;
  }
  [[nodiscard]] std::uint64_t name_of_next_send() const noexcept {
    return static_cast<std::uint64_t>(Operation::send) | (finished_sends_ + sends_.size())
                                                             << slot_shift;
  }
  /// What is reported on, or nullptr.
  [[nodiscard]] Send* send_of(const io_uring_cqe& report) noexcept {
    if (operation_of(report) != Operation::send) return nullptr;
    const std::uint64_t place = (report.user_data >> slot_shift) - finished_sends_;
    return place < sends_.size() ? &sends_[place] : nullptr;
  }
  /// Whether the report is for the slot's present owner. It is, as slots wait for their last one.
  [[nodiscard]] bool is_current(const io_uring_cqe& report) const noexcept {
    return slots_[slot_of(report)].generation == report.user_data >> generation_shift;
  }
  [[nodiscard]] static std::uint32_t index_of(const Stream& stream) noexcept {
    return stream.interest_;
  }

  // Beginning and ending operations.
  // `engine_data` is one more than the slot.
  std::error_code start(Pollable& owner, std::uint32_t& engine_data) noexcept;
  void stop(std::uint32_t& engine_data) noexcept;
  void unsettle(std::uint32_t index) noexcept;
  void settle_all() noexcept;
  void settle(std::uint32_t index) noexcept;
  void settle_stream(std::uint32_t index, Stream& stream) noexcept;
  void settle_poll(std::uint32_t index, bool wanted, Interest interest) noexcept;
  void begin_receive(std::uint32_t index, int fd) noexcept;
  void begin_poll(std::uint32_t index, int fd, Interest interest) noexcept;
  void end_receive(std::uint32_t index) noexcept;
  void end_poll(std::uint32_t index) noexcept;
  void cancel(std::uint64_t operation) noexcept;
  void await_wake() noexcept;

  // Sending.
  bool queue_send(Stream& stream) noexcept;
  void send_directly(Stream& stream) noexcept;
  void expect_follow_up(const Stream& stream) noexcept;
  void note_failed_sends() noexcept;
  void finish_sends() noexcept;
  void finish_send(const Send& send) noexcept;
  void* scratch(std::size_t bytes);

  // Reports.
  bool handle_all() noexcept;
  void handle(const io_uring_cqe& report) noexcept;
  void received(std::uint32_t index, const io_uring_cqe& report) noexcept;
  void receive_failed(std::uint32_t index, Stream& stream, int error) noexcept;
  void polled(std::uint32_t index, const io_uring_cqe& report) noexcept;
  void accept(Acceptor& acceptor) noexcept;
  void stream_ready(Stream& stream, unsigned events);
  void read_pipe(Stream& stream);
  void watch_ready(std::uint32_t index, Watch& watch, unsigned events) noexcept;

  // An exception here is a fault of the library or a lack of memory; it ends the connection, not
  // the process.
  template <class F>
  static void guarded(Stream& stream, F&& function) noexcept {
    try {
      function();
    } catch (const std::exception& error) {
      drop(stream, error);
    }
  }
  static void drop(Stream& stream, const std::exception& error) noexcept;

  LoopCore& core_;
  std::unique_ptr<UringRing> ring_;
  UniqueFd wake_;
  std::uint64_t wake_count_ = 0;  // the kernel writes to it
  SlotTable slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> unsettled_;  // what the kernel does for them may not be what they want
  std::deque<std::uint32_t> starved_;     // wait for a receive buffer
  std::vector<Send> sends_;
  std::size_t first_send_ = 0;        // of those that are not finished
  std::uint64_t finished_sends_ = 0;  // how many there were before sends_
  std::vector<std::unique_ptr<char[]>> scratch_;
  std::size_t scratch_used_ = 0;
  std::size_t in_hand_ = 0;  // operations that will end with a report
  bool follow_up_ = false;   // something is to be done once the sends are out
  bool ended_ = false;
};

}  // namespace squall::loop
