// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/post_queue.hpp"

#include <squall/realtime/publication.hpp>
#include <squall/realtime/subscriber.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <system_error>
#include <vector>

namespace squall::realtime::detail {

struct LocalChannel;

/// Word for one loop, about one of its channels.
struct Letter {
  enum class Kind : std::uint8_t {
    publication,  ///< also join and leave
    joined,       ///< publications after `position` come from now on
    lost,         ///< those after `position` come, some before may be missing
    refused,      ///< the channel could not be subscribed; nothing comes
    left,         ///< the last word about this LocalChannel
    closed,       ///< the hub is closed
  };
  struct Details {
    Position position{};
    LossReason reason = LossReason::gap;
    std::error_code error{};
  };

  Kind kind = Kind::publication;
  LocalChannel* channel = nullptr;  // only the loop looks into it
  PublicationRef publication{};
  std::unique_ptr<Details> details{};
};

/// What waits for a loop, in order, from all threads; it is bounded.
class Inbox {
 public:
  Inbox(std::shared_ptr<loop::PostQueue> posts, std::size_t max_publications,
        std::size_t max_bytes) noexcept
      : posts_(std::move(posts)), max_publications_(max_publications), max_bytes_(max_bytes) {}

  /// False when the loop is gone, which then never hears of it. `open` posts what opens the inbox:
  /// once for all letters until it is opened.
  template <class Open>
  bool put(Letter letter, const Open& open) {
    const std::scoped_lock lock(mutex_);
    if (add(std::move(letter)) && !posted_) post(open());
    return !is_gone();
  }

  struct Opened {
    std::vector<Letter> letters;
    bool overflowed = false;  // publications are missing, all after the last letter
  };
  /// Takes all; on the loop.
  void open(Opened& to);
  /// The loop has ended: nothing is taken any more. Takes no lock, for a post that fails comes
  /// here.
  void close() noexcept { gone_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool is_gone() const noexcept { return gone_.load(std::memory_order_relaxed); }
  [[nodiscard]] const std::shared_ptr<loop::PostQueue>& posts() const noexcept { return posts_; }

 private:
  bool add(Letter letter);
  void post(MoveOnlyFunction<void()> function);
  void drop_publications() noexcept;

  const std::shared_ptr<loop::PostQueue> posts_;
  const std::size_t max_publications_;
  const std::size_t max_bytes_;
  std::mutex mutex_;
  std::vector<Letter> letters_;
  std::size_t publications_ = 0;
  std::size_t bytes_ = 0;
  bool posted_ = false;
  bool overflowed_ = false;
  std::atomic<bool> gone_{false};
};

}  // namespace squall::realtime::detail
