// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a web application with a hub needs beside <squall/web.hpp>.
#include <squall/realtime.hpp>
#include <squall/web/event_source_handler.hpp>
#include <squall/web/hub_socket_handler.hpp>
#include <squall/web/long_poll_handler.hpp>
