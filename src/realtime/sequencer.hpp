// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/result.hpp>
#include <squall/realtime/broker.hpp>
#include <squall/realtime/subscriber.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>

namespace squall::realtime::detail {

/// Puts what comes of one channel into the order of its offsets, without holes: a hole is filled
/// from the history or told. It knows no locks, loops and brokers; the hub's core drives it.
///
/// Everything that goes out is consecutive: after emit() of offset n comes emit() of n + 1, of the
/// same epoch, or lost(). Only with RecoveryMode::latest are offsets skipped.
class Sequencer {
 public:
  class Output {
   public:
    virtual void emit(const PublicationRef& publication) = 0;
    /// What comes next is the one after `now`.
    virtual void lost(LossReason reason, const Position& now) = 0;
    /// Read this and answer with read() and the ticket.
    virtual void wants_read(const HistoryQuery& query, std::uint32_t ticket) = 0;

   protected:
    ~Output() = default;
  };

  struct Counts {
    std::uint64_t emitted = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t gaps = 0;
    std::uint64_t gaps_filled = 0;
  };

  Sequencer(RecoveryMode mode, Counts& counts) noexcept : mode_(mode), counts_(counts) {}

  /// The subscription at the broker begins anew: what comes is held until it has.
  void prepare() noexcept;
  /// It stands at `position`. After it those who join begin there; then resume().
  void begin(const Position& position) noexcept;
  /// Goes on with what was held; reads the history first when `doubtful`.
  void resume(Output& output, bool doubtful);

  /// The broker has this one.
  void publication(const PublicationRef& publication, Output& output);
  /// An answer to wants_read().
  void read(std::uint32_t ticket, Result<HistoryPage>& page, Output& output);
  /// The broker does not prove continuity any more, until restored().
  void interrupted() noexcept;
  void restored(Output& output);

  /// Compares with the stream's top, which was asked for when this stood at `known`. True when
  /// this is behind it, or the broker has forgotten something: confirm() later.
  [[nodiscard]] bool differs(const Position& top, const Position& known) const noexcept;
  /// Where that is so still, reads what is missing.
  void confirm(const Position& top, const Position& known, Output& output);
  /// A read failed, some time has passed: tries it again. True when there was something to do.
  bool retry(Output& output);
  [[nodiscard]] bool wants_retry() const noexcept { return phase_ == Phase::failed; }

  /// Of the last publication that went out, or after which the stream goes on.
  [[nodiscard]] const Position& position() const noexcept { return position_; }
  [[nodiscard]] bool has_begun() const noexcept { return phase_ != Phase::preparing; }
  /// Whether position() is what the broker last told, as far as this process can know.
  [[nodiscard]] bool is_live() const noexcept { return phase_ == Phase::live; }
  /// Whether an answer with this ticket would still be heard.
  [[nodiscard]] bool expects(std::uint32_t ticket) const noexcept {
    return phase_ == Phase::reading && ticket == ticket_;
  }
  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }

 private:
  enum class Phase : std::uint8_t {
    preparing,    ///< no position yet
    live,         ///< what comes goes out
    reading,      ///< waits for the history
    failed,       ///< the history could not be read; again in a while
    interrupted,  ///< the broker is away
  };

  void hold(const PublicationRef& publication);
  void start_reading(Output& output);
  [[nodiscard]] bool goes_out(const PublicationRef& publication, Output& output);
  void go_on(Output& output);
  void apply(const HistoryPage& page, Output& output);
  void settle_verified(Output& output);
  void give_up(Output& output);
  void emit(const PublicationRef& publication, Output& output);
  void lose(LossReason reason, const Position& now, Output& output);

  Phase phase_ = Phase::preparing;
  RecoveryMode mode_;
  bool overflowed_ = false;  // more came than is held; what is not held is in the history or lost
  bool filling_ = false;     // a hole was seen
  std::uint8_t failures_ = 0;
  std::uint32_t ticket_ = 0;
  std::size_t verified_ = 0;  // of held_: came before the read began
  std::size_t held_bytes_ = 0;
  std::deque<PublicationRef> held_;
  Position position_;
  Counts& counts_;
};

}  // namespace squall::realtime::detail
