// SPDX-License-Identifier: Apache-2.0
// squall::throw_traces: keeps where the last exceptions of each thread were thrown, for the pages
// of errors with Settings::debug. A library of its own, since it stands between a program and its
// C++ runtime: each throw takes some microseconds more.
//
// Sanitizers stand there themselves; with them it keeps nothing.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SQUALL_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SQUALL_SANITIZED
#endif

#ifndef SQUALL_SANITIZED
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <execinfo.h>
#include <typeinfo>

namespace {

constexpr int kept_frames = 48;
constexpr unsigned kept_throws = 8;

struct Thrown {
  const void* object = nullptr;
  int count = 0;
  void* frames[kept_frames];
};
thread_local Thrown thrown[kept_throws];
thread_local unsigned next = 0;

using Throw = void (*)(void*, std::type_info*, void (*)(void*));

Throw real_throw() {
  auto* const found = reinterpret_cast<Throw>(::dlsym(RTLD_NEXT, "__cxa_throw"));
  if (found == nullptr) {
    std::fputs("squall::throw_traces needs a C++ runtime that is a shared library\n", stderr);
    std::abort();
  }
  return found;
}

}  // namespace

extern "C" {

[[noreturn]] void __cxa_throw(void* object, std::type_info* type, void (*destroy)(void*)) {
  static const Throw real = real_throw();
  Thrown& kept = thrown[next++ % kept_throws];
  kept.object = object;
  kept.count = ::backtrace(kept.frames, kept_frames);
  real(object, type, destroy);
  std::abort();  // it does not return
}

int squall_thrown_frames(const void* exception, void** frames, int most) {
  for (unsigned age = 1; age <= kept_throws; ++age) {
    const Thrown& kept = thrown[(next - age) % kept_throws];
    if (kept.object != exception) continue;
    constexpr int own = 1;
    const int count = std::clamp(kept.count - own, 0, most);
    for (int i = 0; i < count; ++i) {
      // Within the call: what follows a throw at a function's end is another function.
      frames[i] = static_cast<char*>(kept.frames[own + i]) - 1;
    }
    return count;
  }
  return 0;
}
}
#endif
