// SPDX-License-Identifier: Apache-2.0
#include "realtime/inbox.hpp"

#include "base/logging.hpp"

namespace squall::realtime::detail {

// With the lock held; false when it was dropped.
bool Inbox::add(Letter letter) {
  if (is_gone()) {
    std::vector<Letter>().swap(letters_);
    return false;
  }
  if (letter.kind == Letter::Kind::publication) {
    if (overflowed_) return false;
    bytes_ += letter.publication->memory_bytes();
    if (++publications_ > max_publications_ || bytes_ > max_bytes_) {
      overflowed_ = true;
      drop_publications();
      return true;  // so that the loop hears of it
    }
  }
  letters_.push_back(std::move(letter));
  return true;
}

// The rest are few: bounded by the channels of the loop.
void Inbox::drop_publications() noexcept {
  std::erase_if(letters_, [](const Letter& one) { return one.kind == Letter::Kind::publication; });
  letters_.shrink_to_fit();
  publications_ = 0;
  bytes_ = 0;
}

void Inbox::post(MoveOnlyFunction<void()> function) {
  try {
    posted_ = true;
    if (!posts_->post(std::move(function))) close();
  } catch (const std::exception& error) {
    posted_ = false;  // the next letter tries again
    log::format(log::Level::error, "realtime", "a loop cannot be told: {}", error.what());
  }
}

void Inbox::open(Opened& to) {
  const std::scoped_lock lock(mutex_);
  to.letters.swap(letters_);
  to.overflowed = overflowed_;
  overflowed_ = false;
  posted_ = false;
  publications_ = 0;
  bytes_ = 0;
}

}  // namespace squall::realtime::detail
