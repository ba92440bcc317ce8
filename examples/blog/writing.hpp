// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "site.hpp"

// What the author does.

/// A new entry, or with `id` a change to one.
struct Compose : Page {
  static constexpr bool authenticated = true;
  using Page::Page;
  squall::Task<> get();
  squall::Task<> post();
};

/// The first to come becomes the author; then nobody does.
struct CreateAuthor : Page {
  using Page::Page;
  squall::Task<> get();
  squall::Task<> post();
};

struct Login : Page {
  using Page::Page;
  void get();
  squall::Task<> post();
};

struct Logout : Page {
  using Page::Page;
  void post() { log_out(); }
};
