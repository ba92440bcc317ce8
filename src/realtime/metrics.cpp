// SPDX-License-Identifier: Apache-2.0
#include "realtime/hub_calls.hpp"

#include <squall/realtime/hub.hpp>
#include <squall/realtime/metrics.hpp>

#include <fmt/format.h>

#include <iterator>

namespace squall::realtime {
namespace {

struct Series {
  const char* name;
  const char* help;
  std::uint64_t HubMetrics::*value;
};

// Names end in _total where they only grow, as Prometheus wants it.
constexpr Series series[] = {
    {"published_total", "Publications that the broker accepted.", &HubMetrics::published},
    {"publish_failures_total", "Publications that were refused or failed.",
     &HubMetrics::publish_failures},
    {"received_total", "New publications from the broker.", &HubMetrics::received},
    {"duplicates_total", "Publications that had come before.", &HubMetrics::duplicates},
    {"delivered_total", "Publications queued for a subscriber.", &HubMetrics::delivered},
    {"dropped_total", "Publications dropped for a slow subscriber.", &HubMetrics::dropped},
    {"recovered_total", "Subscriptions that got all they had missed.", &HubMetrics::recovered},
    {"not_recovered_total", "Subscriptions that were told to begin anew.",
     &HubMetrics::not_recovered},
    {"recovered_publications_total", "Missed publications handed over.",
     &HubMetrics::recovered_publications},
    {"gaps_total", "Holes found in the streams.", &HubMetrics::gaps},
    {"gaps_filled_total", "Holes filled from the history.", &HubMetrics::gaps_filled},
    {"losses_total", "Subscriptions that were told of a loss.", &HubMetrics::losses},
    {"inbox_overflows_total", "Loops that stood still for too long.", &HubMetrics::inbox_overflows},
    {"interruptions_total", "Interruptions of the broker.", &HubMetrics::interruptions},
    {"broker_failures_total", "Calls to the broker that failed.", &HubMetrics::broker_failures},
    {"channels", "Channels with subscribers.", &HubMetrics::channels},
    {"subscriptions", "Subscriptions.", &HubMetrics::subscriptions},
    {"loops", "Loops that subscribe.", &HubMetrics::loops},
    {"pending_calls", "Calls that wait for the broker.", &HubMetrics::pending_calls},
};

}  // namespace

HubMetrics Hub::metrics() const { return handle_->core->metrics(); }

std::string Hub::metrics_text() const {
  const HubMetrics now = metrics();
  fmt::memory_buffer text;
  for (const Series& one : series) {
    const std::string_view name = one.name;
    const bool grows = name.size() > 6 && name.substr(name.size() - 6) == "_total";
    fmt::format_to(std::back_inserter(text),
                   "# HELP squall_realtime_{0} {1}\n# TYPE squall_realtime_{0} {2}\n"
                   "squall_realtime_{0} {3}\n",
                   name, one.help, grows ? "counter" : "gauge", now.*one.value);
  }
  return fmt::to_string(text);
}

}  // namespace squall::realtime
