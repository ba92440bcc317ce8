// SPDX-License-Identifier: Apache-2.0
#pragma once

// What handlers name of the hub, so that programs without one do not pay for its headers. Those
// that use it include <squall/realtime.hpp>.
namespace squall::realtime {

class Hub;
class Publication;
struct SubscribeOptions;
struct Subscribed;

namespace detail {
template <class T, bool throws>
class OperationAwaiter;
}

}  // namespace squall::realtime

namespace squall::web {

/// What subscribe() gives: await it for a realtime::Subscribed, or throw it away.
using HubSubscription = realtime::detail::OperationAwaiter<realtime::Subscribed, true>;

}  // namespace squall::web
