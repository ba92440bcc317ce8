// SPDX-License-Identifier: Apache-2.0
#include "web/argon2.hpp"

#include <squall/base/error.hpp>

#include <argon2.h>
#include <new>

namespace squall::web {

void require_argon2() {}

std::string argon2(std::string_view password, const Argon2Hash& like, std::size_t size) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));  // it only reads them
  };
  std::string out(size, '\0');
  argon2_context context{};
  context.out = bytes(out);
  context.outlen = static_cast<std::uint32_t>(size);
  context.pwd = bytes(password);
  context.pwdlen = static_cast<std::uint32_t>(password.size());
  context.salt = bytes(like.salt);
  context.saltlen = static_cast<std::uint32_t>(like.salt.size());
  context.t_cost = like.passes;
  context.m_cost = like.memory_kib;
  context.lanes = like.lanes;
  context.threads = 1;  // more would be threads of its own, beyond any bound
  context.version = like.version;
  const int error = argon2_ctx(&context, static_cast<argon2_type>(like.variant));
  if (error == ARGON2_MEMORY_ALLOCATION_ERROR) throw std::bad_alloc();
  if (error != ARGON2_OK) {
    throw Error("Argon2 does not hash: " + std::string(argon2_error_message(error)));
  }
  return out;
}

}  // namespace squall::web
