// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/realtime/broker.hpp>
#include <squall/realtime/channel_options.hpp>
#include <squall/realtime/error.hpp>
#include <squall/realtime/hub.hpp>
#include <squall/realtime/metrics.hpp>
#include <squall/realtime/position.hpp>
#include <squall/realtime/presence.hpp>
#include <squall/realtime/publication.hpp>
#include <squall/realtime/subscriber.hpp>
