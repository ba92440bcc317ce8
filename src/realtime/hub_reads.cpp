// SPDX-License-Identifier: Apache-2.0
// HubCore's reads of the history: for holes, after interruptions, and to check positions.
#include "loop/clock.hpp"
#include "realtime/completion.hpp"
#include "realtime/hub_core.hpp"

#include <squall/base/limits.hpp>

#include <utility>

namespace squall::realtime::detail {
namespace {

constexpr std::uint64_t retry_ms = 1000;

std::uint64_t now_ms() { return loop::monotonic_ns() / 1'000'000; }

}  // namespace

void HubCore::read(Read what) {
  {
    const std::scoped_lock lock(reads_mutex_);
    if (is_closed()) return;
    waiting_reads_.push_back(std::move(what));
  }
  start_reads();
}

// One that is answered within the call does not start the next one from there: the stack stays
// bounded.
void HubCore::start_reads() {
  static thread_local bool starting = false;
  if (starting) return;
  starting = true;
  for (;;) {
    Read next;
    {
      const std::scoped_lock lock(reads_mutex_);
      if (waiting_reads_.empty() || reads_ >= limits::hub_recoveries) break;
      ++reads_;
      next = std::move(waiting_reads_.front());
      waiting_reads_.pop_front();
    }
    start_read(std::move(next));
  }
  starting = false;
}

void HubCore::start_read(Read what) {
  count_call();
  const ChannelPtr channel = what.channel;
  const HistoryQuery query = what.query;
  ask<HistoryPage>(
      shared_from_this(),
      [&](Completion<HistoryPage> done) {
        broker_->history(channel->name, query, std::move(done));
      },
      [self = shared_from_this(), read = std::move(what)](Result<HistoryPage> page) {
        self->on_read(read, std::move(page));
      });
}

void HubCore::on_read(const Read& what, Result<HistoryPage> page) {
  Todo todo;
  {
    const std::scoped_lock lock(shard_of(what.channel->name).mutex);
    HubChannel& channel = *what.channel;
    if (!is_closed() && channel.stage == HubChannel::Stage::subscribed) {
      channel.sequencer.read(what.ticket, page, channel);
      todo = take_wants(what.channel);
      if (channel.sequencer.wants_retry()) look_again_at(what.channel, now_ms() + retry_ms);
    }
  }
  {
    const std::scoped_lock lock(reads_mutex_);
    --reads_;
  }
  run(std::move(todo));
  start_reads();
}

void HubCore::check_position(std::string_view name, std::uint64_t now) {
  Shard& shard = shard_of(name);
  ChannelPtr channel;
  Position known;
  {
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.channels.find(name);
    if (found == shard.channels.end() || !found->second->sequencer.is_live()) return;
    const auto interval = static_cast<std::uint64_t>(options.position_check.milliseconds());
    // Another loop's check counts as well.
    if (now - found->second->checked_ms < interval / 2) return;
    found->second->checked_ms = now;
    channel = found->second;
    known = channel->sequencer.position();
  }
  count_call();
  HistoryQuery query;
  query.limit = 0;
  ask<HistoryPage>(
      shared_from_this(),
      [&](Completion<HistoryPage> done) {
        broker_->history(channel->name, query, std::move(done));
      },
      [self = shared_from_this(), channel, known](Result<HistoryPage> page) {
        self->on_checked(channel, known, std::move(page));
      });
}

// A publication may be on its way: what differs now is looked at again after a while.
void HubCore::on_checked(const ChannelPtr& channel, const Position& known,
                         Result<HistoryPage> page) {
  if (!page) return;
  const std::scoped_lock lock(shard_of(channel->name).mutex);
  if (!channel->sequencer.differs(page->position, known)) return;
  channel->suspected = page->position;
  channel->known = known;
  look_again_at(channel,
                now_ms() + static_cast<std::uint64_t>(options.position_grace.milliseconds()));
}

void HubCore::look_again_at(const ChannelPtr& channel, std::uint64_t due_ms) {
  if (channel->look_again_ms != 0) return;
  channel->look_again_ms = due_ms;
  const std::scoped_lock lock(put_off_mutex_);
  put_off_.emplace_back(due_ms, channel);
}

void HubCore::look_again(std::uint64_t now) {
  run_deferred();
  std::vector<ChannelPtr> due;
  {
    const std::scoped_lock lock(put_off_mutex_);
    std::erase_if(put_off_, [&](const auto& one) {
      if (one.first > now) return false;
      if (ChannelPtr channel = one.second.lock()) due.push_back(std::move(channel));
      return true;
    });
  }
  for (const ChannelPtr& channel : due) {
    Todo todo;
    {
      const std::scoped_lock lock(shard_of(channel->name).mutex);
      channel->look_again_ms = 0;
      const Position suspected = std::exchange(channel->suspected, Position());
      if (channel->stage != HubChannel::Stage::subscribed) continue;
      if (!channel->sequencer.retry(*channel)) {
        channel->sequencer.confirm(suspected, channel->known, *channel);
      }
      todo = take_wants(channel);
    }
    run(std::move(todo));
  }
}

}  // namespace squall::realtime::detail
