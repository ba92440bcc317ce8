// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/content_encoder.hpp"

#include <squall/base/pool.hpp>
#include <squall/coro/detail/scheduler.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web {

class Exchange;

/// What of a body is coded at a time, before others of the loop get their turn. Measured, that
/// takes at most 7 ms at the levels that settings may ask for (of gzip, those past 6 have shorter
/// slices), so no thread is needed, and no order can be lost.
[[nodiscard]] constexpr std::size_t coding_slice_bytes(http::ContentCoding coding, int level) {
  return coding == http::ContentCoding::gzip && level > 6 ? 16 * 1024 : 128 * 1024;
}

/// Codes the body of a response that does not come at once, or is too large for one turn. Without
/// an encoder it drops what it gets: that is for HEAD.
class ResponseCoder final : public squall::detail::Pooled, public squall::detail::ReadyNode {
 public:
  /// `slice` is called by the loop for each slice but the first.
  ResponseCoder(Exchange& exchange, http::ContentEncoder encoder, std::size_t slice_bytes,
                Run slice) noexcept
      : ReadyNode(slice),
        exchange_(exchange),
        encoder_(std::move(encoder)),
        slice_bytes_(slice_bytes) {}

  [[nodiscard]] Exchange& exchange() const noexcept { return exchange_; }
  /// For one who codes by himself.
  [[nodiscard]] http::ContentEncoder take_encoder() noexcept { return std::move(encoder_); }

  /// Takes a piece of the body; behind it comes a flush, or the end.
  void add(std::string& body, bool last);
  /// Codes a slice; what came of it is in coded() until the next call.
  void run_slice();
  [[nodiscard]] std::string& coded() noexcept { return coded_; }
  /// There is more to do.
  [[nodiscard]] bool is_busy() const noexcept { return flush_wanted_ || end_wanted_; }
  /// Bytes that are not coded yet.
  [[nodiscard]] std::size_t pending_bytes() const noexcept { return input_.size() - at_; }

 private:
  Exchange& exchange_;
  http::ContentEncoder encoder_;
  std::size_t slice_bytes_;
  std::string input_;
  std::size_t at_ = 0;
  std::string coded_;
  bool flush_wanted_ = false;
  bool end_wanted_ = false;
};

/// Codes a body that is whole and no longer than a slice, in place. In the steady state nothing is
/// allocated.
void code_whole(http::ContentEncoder encoder, std::string& body);

}  // namespace squall::web
