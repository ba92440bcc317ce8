// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/loop/ioloop.hpp>

#include <gtest/gtest.h>

#include <functional>

namespace squall::loop {

/// Runs this thread's loop until `condition` holds; fails the test when it never does.
inline void run_until(const std::function<bool()>& condition) {
  IOLoop& loop = IOLoop::current();
  int turns = 0;
  std::function<void()> look = [&] {
    if (condition() || ++turns > 5000) {
      loop.stop();
    } else {
      loop.call_later(Duration::from_milliseconds(1), [&] { look(); });
    }
  };
  loop.post([&] { look(); });
  loop.start();
  EXPECT_LE(turns, 5000) << "the condition never came true";
}

}  // namespace squall::loop
