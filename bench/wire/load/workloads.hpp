// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/window.hpp"

namespace wire_load {

// Each runs one kind of workload until the window is over and throws Failure at the first fault.

/// Requests or frames in a closed loop: every connection asks again when all its answers came.
void run_closed_loop(const Options& options, Window& window);

/// One request a connection, closed by the server.
void run_churn(const Options& options, Window& window);

/// One member publishes, every member must receive, then the next batch.
void run_room(const Options& options, Window& window);

/// One event published, every stream of server-sent events must receive it, then the next.
void run_feed(const Options& options, Window& window);

/// Opens connections, uses each once, and holds them still; prints its own JSON line.
void run_idle(const Options& options);

/// True when `name` is a workload that run_closed_loop() knows.
bool is_closed_loop(const std::string& name);

}  // namespace wire_load
