// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "realtime/wire_publication.hpp"

#include <squall/base/duration.hpp>
#include <squall/realtime/broker.hpp>

#include <cstddef>
#include <deque>

namespace squall::realtime {

/// What this process has seen of a channel: counted, and the latest kept.
class NatsHistory {
 public:
  NatsHistory() { begin_epoch(); }

  /// Forgets all, also how far it had counted: what came before and what comes now may not be
  /// neighbours.
  void begin_epoch();
  /// Gives `publication` its position.
  void count(Publication& publication) noexcept;
  /// Keeps it within `limits`.
  void keep(const PublicationRef& publication, const HistoryLimits& limits, TimePoint now);
  void forget() noexcept;
  [[nodiscard]] HistoryPage page(const HistoryQuery& query, TimePoint now);
  [[nodiscard]] const Position& position() const noexcept { return top_; }
  /// Memory of what is kept.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Kept {
    PublicationRef publication;
    TimePoint until;
    bool expires;
  };
  void drop_expired(TimePoint now) noexcept;
  void drop_oldest() noexcept;

  Position top_;
  std::deque<Kept> kept_;  // oldest first
  std::size_t bytes_ = 0;
};

}  // namespace squall::realtime
