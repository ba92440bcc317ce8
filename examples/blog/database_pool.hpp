// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"

#include <squall/loop/executor.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

/// Threads that wait for the database, so that the loop does not; each has a connection while it
/// works, and connections are used again. Who comes when `max_waiting` wait already is refused.
///
///     const auto entry = co_await pool.run(&find_entry, slug);  // Entry find_entry(Connection&,
///     ...)
class DatabasePool {
 public:
  DatabasePool(std::string database, std::size_t threads)
      : database_(std::move(database)), executor_(threads, max_waiting) {}

  /// Calls `function(connection, args...)` on a thread of the pool; await the result. Exceptions
  /// come out of the await, a DatabaseError where the database has no time.
  template <class F, class... Args>
  [[nodiscard]] auto run(F function, Args... args) {
    try {
      return executor_.run(&DatabasePool::call<F, Args...>, this, std::move(function),
                           std::move(args)...);
    } catch (const squall::Error& error) {
      throw DatabaseError(error.what());
    }
  }

 private:
  static constexpr std::size_t max_waiting = 256;

  template <class F, class... Args>
  static auto call(DatabasePool* pool, F function, Args... args) {
    Lease lease(*pool);
    return function(*lease.connection, args...);
  }

  struct Lease {
    explicit Lease(DatabasePool& the_pool) : pool(the_pool), connection(pool.take()) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      if (connection->is_usable()) pool.give_back(connection);
    }
    DatabasePool& pool;
    std::unique_ptr<Connection> connection;
  };

  std::unique_ptr<Connection> take() {
    for (;;) {
      std::unique_ptr<Connection> connection;
      {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) break;
        connection = std::move(idle_.back());
        idle_.pop_back();
      }
      if (connection->is_usable()) return connection;
    }
    return connect_to(database_);
  }
  void give_back(std::unique_ptr<Connection>& connection) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }

  std::string database_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
  squall::Executor executor_;  // ends first
};
