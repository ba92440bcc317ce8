// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "site.hpp"

// What everybody may read.

struct Home : Page {
  using Page::Page;
  squall::Task<> get();
};

struct EntryPage : Page {
  using Page::Page;
  squall::Task<> get(std::string slug);
};

struct Archive : Page {
  using Page::Page;
  squall::Task<> get();
};

struct Feed : Page {
  using Page::Page;
  squall::Task<> get();
};

/// For all other paths.
struct NotFound : Page {
  using Page::Page;
  void get() { throw squall::web::HTTPError(404); }
};
