// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/multi.hpp>

namespace squall::detail {

void MultiRun::ended(std::size_t, const std::exception_ptr& error) {
  if (!error) return;
  if (!first_error_) {
    first_error_ = error;
    return;
  }
  try {
    std::rethrow_exception(error);
  } catch (const CancelledError&) {  // was asked to
  } catch (const std::exception& what) {
    log::format(log::Level::error, "app", "a further task of multi() failed: {}", what.what());
  } catch (...) {
    log::write(log::Level::error, "app", "a further task of multi() threw something unknown");
  }
}

}  // namespace squall::detail
