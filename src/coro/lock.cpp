// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/coro/lock.hpp>

namespace squall {

void Lock::release() {
  if (!locked()) throw UsageError("this Lock is not locked: release() once for each acquire()");
  semaphore_.release();
}

}  // namespace squall
