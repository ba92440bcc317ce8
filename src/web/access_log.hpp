// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace squall::web {

class Exchange;
class RequestHandler;

/// Writes a finished request's line, as the settings say: `200 GET /path (127.0.0.1) 0.42ms`; info
/// below 400, warning below 500, else error.
void log_request(const Exchange& exchange, const RequestHandler& handler) noexcept;

}  // namespace squall::web
