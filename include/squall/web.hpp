// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/coro/sleep.hpp>
#include <squall/loop/ioloop.hpp>
#include <squall/web/application.hpp>
#include <squall/web/event_source_handler.hpp>
#include <squall/web/handler.hpp>
#include <squall/web/http_error.hpp>
#include <squall/web/http_file.hpp>
#include <squall/web/ready_handlers.hpp>
#include <squall/web/request_handler.hpp>
#include <squall/web/static_file_handler.hpp>
#include <squall/web/websocket_handler.hpp>

#include <set>
