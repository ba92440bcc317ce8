// SPDX-License-Identifier: Apache-2.0
#include "realtime/hub_channel.hpp"

#include "realtime/hub_loop.hpp"

#include <utility>

namespace squall::realtime::detail {
namespace {

std::unique_ptr<Letter::Details> details_of(const Position& position,
                                            LossReason reason = LossReason::gap) {
  auto details = std::make_unique<Letter::Details>();
  details->position = position;
  details->reason = reason;
  return details;
}

}  // namespace

// A loop that has ended is noticed here.
void HubChannel::put(Link& link, Letter letter) {
  letter.channel = link.local;
  if (link.loop->put(std::move(letter))) return;
  link.loop = nullptr;
  lost_loop = true;
}

void HubChannel::settle_stage() noexcept {
  lost_loop = false;
  std::erase_if(links, [](const Link& link) { return link.loop == nullptr; });
  if (stage == Stage::subscribed && links.empty()) {
    stage = Stage::unsubscribing;
    sequencer.prepare();
    wants = Wants();
    wants.unsubscribe = true;
  } else if (stage == Stage::idle && !links.empty()) {
    stage = Stage::subscribing;
    sequencer.prepare();
    wants = Wants();
    wants.subscribe = true;
  }
}

void HubChannel::join_all() {
  for (Link& link : links) {
    if (link.joined || link.loop == nullptr) continue;
    link.joined = true;
    Letter letter;
    letter.kind = Letter::Kind::joined;
    letter.details = details_of(sequencer.position());
    put(link, std::move(letter));
  }
}

void HubChannel::refuse_all(std::error_code error) {
  for (Link& link : links) {
    if (link.loop == nullptr) continue;
    Letter letter;
    letter.kind = Letter::Kind::refused;
    letter.details = std::make_unique<Letter::Details>();
    letter.details->error = error;
    put(link, std::move(letter));
  }
  links.clear();
}

void HubChannel::emit(const PublicationRef& publication) {
  for (Link& link : links) {
    if (!link.joined || link.loop == nullptr) continue;
    Letter letter;
    letter.publication = publication;
    put(link, std::move(letter));
  }
}

void HubChannel::lost(LossReason reason, const Position& now) {
  for (Link& link : links) {
    if (!link.joined || link.loop == nullptr) continue;
    Letter letter;
    letter.kind = Letter::Kind::lost;
    letter.details = details_of(now, reason);
    put(link, std::move(letter));
  }
}

void HubChannel::wants_read(const HistoryQuery& query, std::uint32_t ticket) {
  wants.read = true;
  wants.query = query;
  wants.ticket = ticket;
}

}  // namespace squall::realtime::detail
