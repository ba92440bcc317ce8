// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "web/session_state.hpp"

#include <squall/base/optional_string.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <typeinfo>

namespace squall::web {

/// What an exchange remembers of who sends its request. Made when that is asked for first, and kept
/// for the exchange's next requests.
struct Visitor {
  Visitor() noexcept = default;
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;
  ~Visitor() { drop_object(); }

  void drop_object() noexcept {
    if (object != nullptr) destroy(object);
    object = nullptr;
  }
  void clear() noexcept {
    drop_object();
    session.reset();
    user.reset();
    user_is_known = token_is_known = client_has_token = false;
    token.clear();
    token_text.clear();
  }

  OptionalString user;
  void* object = nullptr;  // what else is known of the user
  const std::type_info* object_type = nullptr;
  void (*destroy)(void*) noexcept = nullptr;
  bool user_is_known = false;

  std::unique_ptr<SessionState> session;

  // The secret against forged requests.
  bool token_is_known = false;
  bool client_has_token = false;
  std::int64_t token_time = 0;  // seconds since 1970
  std::string token;            // as bytes
  std::string token_text;       // as it was given to the handler
};

}  // namespace squall::web
