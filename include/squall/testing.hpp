// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/testing/expect_log.hpp>
#include <squall/testing/http_test.hpp>
#include <squall/testing/http_test_case.hpp>
#include <squall/testing/response.hpp>
