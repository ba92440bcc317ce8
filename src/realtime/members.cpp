// SPDX-License-Identifier: Apache-2.0
// HubLoop's part of presence: who enters and leaves, and that those who are there stay.
#include "realtime/completion.hpp"
#include "realtime/hub_loop.hpp"

namespace squall::realtime::detail {
namespace {

constexpr std::size_t refreshes_per_tick = 1000;

/// What is told of a member who comes or goes.
struct Notice {
  std::string channel;
  Member member;
  PublicationKind kind;
};

void publish_notice(const std::shared_ptr<HubCore>& core, const Notice& notice) {
  PublicationFields fields;
  fields.kind = notice.kind;
  fields.client = notice.member.client;
  fields.user = notice.member.user;
  const PublicationRef publication =
      Publication::create(notice.channel, notice.member.info, fields);
  core->count_call();
  ask<Position>(
      core,
      [&](Completion<Position> done) {
        core->broker().publish(publication, HistoryLimits(), std::move(done));
      },
      [](Result<Position>) {});
}

/// For the completion of add and remove: tells the channel when that changed something.
class Announce {
 public:
  Announce(std::shared_ptr<HubCore> core, std::unique_ptr<Notice> notice) noexcept
      : core_(std::move(core)), notice_(std::move(notice)) {}
  void operator()(Result<bool> changed) const {
    if (!changed) {
      core_->log_failure("presence", notice_ != nullptr ? notice_->channel : "", changed.error());
    } else if (*changed && notice_ != nullptr) {
      publish_notice(core_, *notice_);
    }
  }

 private:
  std::shared_ptr<HubCore> core_;
  std::unique_ptr<Notice> notice_;
};

std::unique_ptr<Notice> notice_of(const LocalChannel& channel, const MemberInfo& member,
                                  PublicationKind kind) {
  if (!channel.options.join_leave) return nullptr;
  return std::make_unique<Notice>(
      Notice{channel.name, Member{member.client, member.user, member.info}, kind});
}

void add(const std::shared_ptr<HubCore>& core, const std::string& channel, const MemberInfo& member,
         std::unique_ptr<Notice> notice) {
  core->count_call();
  ask<bool>(
      core,
      [&](Completion<bool> done) {
        core->presence().add(channel, {member.client, member.user, member.info},
                             core->options.presence_ttl, std::move(done));
      },
      Announce(core, std::move(notice)));
}

}  // namespace

void HubLoop::enter(Subscription& subscription) {
  MemberInfo* const member = subscription.member.get();
  if (member == nullptr || member->is_in) return;
  member->is_in = true;
  member->refreshed_ms = now_ms();
  member->place = members_.insert(members_.end(), &subscription);
  const LocalChannel& channel = *subscription.channel;
  add(core_, channel.name, *member, notice_of(channel, *member, PublicationKind::join));
}

void HubLoop::exit(Subscription& subscription) noexcept {
  MemberInfo* const member = subscription.member.get();
  if (member == nullptr || !member->is_in) return;
  member->is_in = false;
  members_.erase(member->place);
  if (core_->is_closed()) return;
  const LocalChannel& channel = *subscription.channel;
  core_->count_call();
  ask<bool>(
      core_,
      [&](Completion<bool> done) {
        core_->presence().remove(channel.name, member->client, std::move(done));
      },
      Announce(core_, notice_of(channel, *member, PublicationKind::leave)));
}

void HubLoop::refresh_members(std::uint64_t now) {
  const auto interval = static_cast<std::uint64_t>(core_->options.presence_refresh.milliseconds());
  // So many that all have their turn within the interval, whatever their number.
  const std::size_t most = refreshes_per_tick + members_.size() / 4;
  for (std::size_t n = 0; interval > 0 && n < most && !members_.empty(); ++n) {
    Subscription& oldest = *members_.front();
    MemberInfo& member = *oldest.member;
    if (member.refreshed_ms + interval > now) return;
    member.refreshed_ms = now;
    members_.splice(members_.end(), members_, member.place);
    // Who comes back after its time was up was never told to have left.
    add(core_, oldest.channel->name, member, nullptr);
  }
}

}  // namespace squall::realtime::detail
