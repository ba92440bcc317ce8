// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"

std::unique_ptr<Connection> connect_to_postgresql(const std::string& url);
