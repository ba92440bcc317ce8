// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"

std::unique_ptr<Connection> open_sqlite(const std::string& path);
