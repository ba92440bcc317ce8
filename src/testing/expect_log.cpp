// SPDX-License-Identifier: Apache-2.0
#include "base/log_sinks.hpp"
#include "base/log_text.hpp"

#include <squall/base/error.hpp>
#include <squall/testing/expect_log.hpp>

#include <re2/re2.h>

#include <atomic>
#include <string>

namespace squall::testing {

struct ExpectLog::Impl {
  Impl(std::string_view of, std::string_view regex, log::Level least)
      : channel(of),
        wanted(re2::StringPiece(regex.data(), regex.size()), RE2::Quiet),
        level(least) {
    if (!wanted.ok()) {
      throw UsageError("\"" + std::string(regex) +
                       "\" is no regular expression: " + wanted.error());
    }
  }

  static void see(void* context, const log::Line& line) {
    auto& self = *static_cast<Impl*>(context);
    if (self.matches(line)) {
      self.count.fetch_add(1, std::memory_order_relaxed);
    } else {
      log::deliver(self.before, line);
    }
  }
  [[nodiscard]] bool matches(const log::Line& line) const {
    if (line.level < level || (!channel.empty() && line.channel != channel)) return false;
    std::string text;
    log::append_text(text, line);
    return RE2::PartialMatch(text, wanted);
  }

  std::string channel;
  RE2 wanted;
  log::Level level;
  std::atomic<std::size_t> count{0};
  log::SinkSetting before;
};

ExpectLog::ExpectLog(std::string_view channel, std::string_view regex, log::Level level)
    : impl_(new Impl(channel, regex, level)) {
  impl_->before = log::exchange_sinks({.line_sink = &Impl::see, .context = impl_});
}

ExpectLog::~ExpectLog() {
  log::exchange_sinks(impl_->before);
  delete impl_;
}

std::size_t ExpectLog::count() const noexcept { return impl_->count; }

}  // namespace squall::testing
