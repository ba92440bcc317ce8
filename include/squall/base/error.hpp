// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace squall {

/// Base of every exception that a running program may meet: time-outs, cancellation, failed
/// requests. Mistakes of the programmer are UsageError instead.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Tells of a mistake in the calling program and what to do instead: writing after finish,
/// conflicting routes, a task awaited twice. It never ends the process by itself.
class UsageError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Thrown by with_timeout() and the time-limited calls when the time is up.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

/// Thrown out of an await whose task was asked to stop.
class CancelledError : public Error {
 public:
  CancelledError() : Error("cancelled") {}
};

}  // namespace squall
