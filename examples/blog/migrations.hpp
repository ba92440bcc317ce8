// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"

/// Brings the database's schema up to date, step by step; several processes may do so at once. A
/// DatabaseError also when the schema is one of a newer program.
void migrate(Connection& connection);
