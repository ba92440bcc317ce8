// SPDX-License-Identifier: Apache-2.0
#pragma once

// Options of a program: its command line, environment and configuration files. Not part of
// <squall/web.hpp>.
#include <squall/options/parser.hpp>
