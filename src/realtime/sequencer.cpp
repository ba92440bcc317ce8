// SPDX-License-Identifier: Apache-2.0
#include "realtime/sequencer.hpp"

#include <squall/base/limits.hpp>
#include <squall/realtime/error.hpp>

namespace squall::realtime::detail {
namespace {

constexpr std::uint8_t max_failures = 3;

}  // namespace

void Sequencer::prepare() noexcept {
  phase_ = Phase::preparing;
  held_.clear();
  held_bytes_ = 0;
  overflowed_ = false;
  ++ticket_;
}

void Sequencer::begin(const Position& position) noexcept {
  position_ = position;
  phase_ = Phase::live;
}

void Sequencer::resume(Output& output, bool doubtful) {
  if (doubtful || overflowed_) {
    start_reading(output);
  } else {
    go_on(output);
  }
}

void Sequencer::publication(const PublicationRef& publication, Output& output) {
  if (phase_ == Phase::live) {
    if (goes_out(publication, output)) return;
    hold(publication);
    start_reading(output);
  } else {
    hold(publication);
  }
}

void Sequencer::interrupted() noexcept {
  if (phase_ == Phase::preparing) return;
  phase_ = Phase::interrupted;
  ++ticket_;
}

void Sequencer::restored(Output& output) {
  if (phase_ != Phase::preparing) start_reading(output);
}

bool Sequencer::differs(const Position& top, const Position& known) const noexcept {
  if (phase_ != Phase::live || top.is_empty()) return false;
  if (!top.has_epoch_of(position_)) return true;
  return top.offset() > position_.offset() ||
         (known.has_epoch_of(top) && top.offset() < known.offset());
}

void Sequencer::confirm(const Position& top, const Position& known, Output& output) {
  if (!differs(top, known)) return;
  ++counts_.gaps;
  filling_ = true;
  start_reading(output);
}

bool Sequencer::retry(Output& output) {
  if (phase_ != Phase::failed) return false;
  start_reading(output);
  return true;
}

void Sequencer::read(std::uint32_t ticket, Result<HistoryPage>& page, Output& output) {
  if (!expects(ticket)) return;
  if (!page || page->position.is_empty()) {
    const bool for_ever = page || page.error() == RealtimeError::not_supported;
    if (!for_ever && ++failures_ < max_failures) {
      phase_ = Phase::failed;
      return;
    }
    give_up(output);
  } else {
    failures_ = 0;
    apply(*page, output);
    settle_verified(output);
  }
  phase_ = Phase::live;
  filling_ = false;
  // What overflowed after the read began may lie after the top that was read.
  resume(output, false);
}

void Sequencer::hold(const PublicationRef& publication) {
  if (overflowed_) return;
  held_bytes_ += publication->memory_bytes();
  if (held_.size() >= limits::held_publications || held_bytes_ > limits::held_publication_bytes) {
    held_.clear();
    held_bytes_ = 0;
    verified_ = 0;
    overflowed_ = true;
    return;
  }
  held_.push_back(publication);
}

void Sequencer::start_reading(Output& output) {
  phase_ = Phase::reading;
  overflowed_ = false;
  verified_ = held_.size();
  HistoryQuery query;
  if (mode_ == RecoveryMode::latest) {
    query.limit = 1;
    query.reverse = true;
  } else {
    query.since = position_;
  }
  output.wants_read(query, ++ticket_);
}

// Takes it out of doubt: sends it or ignores it. False when the history must be asked first.
bool Sequencer::goes_out(const PublicationRef& publication, Output& output) {
  const Position& at = publication->position();
  // Another epoch: the stream began anew, or this one is from before. The broker knows.
  if (!at.has_epoch_of(position_)) return false;
  if (at.offset() <= position_.offset()) {
    ++counts_.duplicates;
    return true;
  }
  if (at.offset() != position_.offset() + 1 && mode_ != RecoveryMode::latest) {
    ++counts_.gaps;
    filling_ = true;
    return false;
  }
  emit(publication, output);
  return true;
}

void Sequencer::go_on(Output& output) {
  while (!held_.empty()) {
    if (!goes_out(held_.front(), output)) return start_reading(output);
    held_bytes_ -= held_.front()->memory_bytes();
    held_.pop_front();
  }
  held_bytes_ = 0;
}

void Sequencer::apply(const HistoryPage& page, Output& output) {
  const Position& top = page.position;
  if (!top.has_epoch_of(position_)) return lose(LossReason::epoch, top, output);
  // The broker lost what it had told us of.
  if (top.offset() < position_.offset()) return lose(LossReason::epoch, top, output);
  if (top.offset() == position_.offset()) return;
  const auto& found = page.publications;
  if (mode_ == RecoveryMode::latest) {
    if (found.empty() || !(found.front()->position() == top)) {
      return lose(LossReason::gap, top, output);
    }
    emit(found.front(), output);
    if (filling_) ++counts_.gaps_filled;
    return;
  }
  bool complete = found.size() == top.offset() - position_.offset();
  for (std::size_t i = 0; complete && i < found.size(); ++i) {
    complete = found[i]->position() == position_.at(position_.offset() + 1 + i);
  }
  if (!complete) return lose(LossReason::gap, top, output);
  for (const PublicationRef& publication : found) emit(publication, output);
  if (filling_) ++counts_.gaps_filled;
}

// What came before the read began is in it, unless it was from an earlier life of the stream.
void Sequencer::settle_verified(Output& output) {
  for (; verified_ > 0; --verified_) {
    const PublicationRef publication = held_.front();
    held_.pop_front();
    held_bytes_ -= publication->memory_bytes();
    const Position& at = publication->position();
    if (!at.has_epoch_of(position_) || at.offset() <= position_.offset()) {
      ++counts_.duplicates;
      continue;
    }
    // A broker whose reads are behind what it sends.
    if (at.offset() != position_.offset() + 1 && mode_ != RecoveryMode::latest) {
      lose(LossReason::gap, at.at(at.offset() - 1), output);
    }
    emit(publication, output);
  }
}

// The history cannot be read: whoever goes on does so from what comes next.
void Sequencer::give_up(Output& output) {
  failures_ = 0;
  if (held_.empty()) return lose(LossReason::gap, position_, output);
  const Position& next = held_.front()->position();
  const LossReason reason = next.has_epoch_of(position_) ? LossReason::gap : LossReason::epoch;
  lose(reason, next.at(next.offset() - 1), output);
}

void Sequencer::emit(const PublicationRef& publication, Output& output) {
  position_ = publication->position();
  ++counts_.emitted;
  output.emit(publication);
}

void Sequencer::lose(LossReason reason, const Position& now, Output& output) {
  position_ = now;
  output.lost(reason, now);
}

}  // namespace squall::realtime::detail
