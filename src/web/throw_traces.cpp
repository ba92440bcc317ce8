// SPDX-License-Identifier: Apache-2.0
// squall::throw_traces: keeps where the last exceptions of each thread were thrown, for the pages
// of errors with Settings::debug, and finds functions and lines by addr2line, where that is. A
// library of its own, since it stands between a program and its C++ runtime: each throw takes some
// microseconds more.
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
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <typeinfo>
#include <unistd.h>
#include <vector>

extern char** environ;  // NOLINT: POSIX

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

/// The address within the program's file, 0 for one that is not in it.
std::uintptr_t place_in_program(const void* frame) noexcept {
  Dl_info info{};
  link_map* map = nullptr;
  const bool is_known =
      ::dladdr1(frame, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) != 0;
  if (!is_known || map == nullptr || map->l_name[0] != '\0') return 0;
  return reinterpret_cast<std::uintptr_t>(frame) - map->l_addr;
}

/// What a program of binutils writes; "" when it is not there.
std::string output_of(std::vector<std::string> words) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string text;
  if (error == 0) {
    std::array<char, 4096> piece;
    ssize_t size = 0;
    while ((size = ::read(ends[0], piece.data(), piece.size())) > 0 ||
           (size < 0 && errno == EINTR)) {
      if (size > 0) text.append(piece.data(), static_cast<std::size_t>(size));
    }
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  ::close(ends[0]);
  return text;
}

}  // namespace

extern "C" {

/// Tells `line` of each frame in the program's file its number among `frames`, and where it is: by
/// "function at file:line", with a text more for each function that is inlined there.
void squall_describe_frames(void* const* frames, int count,
                            void (*line)(void* context, int frame, const char* text),
                            void* context) {
  std::vector<std::string> words{"addr2line", "-Cafip", "-e",
                                 "/proc/" + std::to_string(::getpid()) + "/exe"};
  std::vector<int> asked;
  for (int i = 0; i < count; ++i) {
    const std::uintptr_t place = place_in_program(frames[i]);
    if (place == 0) continue;
    asked.push_back(i);
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "0x%jx", static_cast<std::uintmax_t>(place));
    words.emplace_back(text.data());
  }
  if (asked.empty()) return;
  const std::string all = output_of(std::move(words));
  std::size_t frame = 0;  // behind that which a line is of
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    std::string text = all.substr(at, end - at);
    at = end + 1;
    if (text.starts_with("0x")) {
      ++frame;
      text.erase(0, text.find(": ") + 2);
    }
    const bool is_known = !text.starts_with("?? ");
    if (frame > 0 && frame <= asked.size() && is_known)
      line(context, asked[frame - 1], text.c_str());
  }
}

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
