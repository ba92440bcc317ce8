// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/content_decoder.hpp"
#include "server/exchange.hpp"
#include "web/body_stream.hpp"
#include "web/form_reader.hpp"

#include <squall/base/pool.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace squall::web {

class Exchange;

/// The way of a body from the connection to who wants it, where it is not just gathered: decoded
/// when it is coded, held back when it comes faster than it is taken. It ends with the handler that
/// reads it in pieces, with a form whose files may go to disk, or with the exchange's buffer.
class BodyIntake final : public squall::detail::Pooled, private BodyStream::Upstream {
 public:
  enum class Target : std::uint8_t { gather, stream, form };

  /// Holds the connection back until start().
  BodyIntake(Exchange& exchange, server::ResponseWriter& writer, Target target);
  BodyIntake(const BodyIntake&) = delete;
  BodyIntake& operator=(const BodyIntake&) = delete;
  ~BodyIntake() { close(); }

  /// Lets the body come; with `decode` of at most `max_bytes` decoded ones.
  void start(bool decode, std::uint64_t max_bytes);
  [[nodiscard]] bool has_begun() const noexcept { return begun_; }
  /// Of Target::stream, else nullptr.
  [[nodiscard]] BodyStream* stream() noexcept { return stream_ ? &*stream_ : nullptr; }
  [[nodiscard]] FormReader* form() noexcept { return form_.get(); }
  [[nodiscard]] bool is_decoded() const noexcept { return decoder_.has_value(); }

  // From the connection.
  void received(std::string_view piece);
  void complete();
  /// No more comes, and the writer is gone.
  void close() noexcept;

 private:
  void hold() noexcept override;
  void go_on() noexcept override;

  void decode(std::string_view in);
  void deliver(std::string_view data);
  void finish();
  void tell_whole();
  void form_moved();
  void fail(int status, std::error_code why);

  Exchange& exchange_;
  server::ResponseWriter* writer_;  // nullptr once it is closed, or has failed
  std::optional<BodyStream> stream_;
  std::unique_ptr<FormReader> form_;
  std::optional<http::ContentDecoder> decoder_;
  std::string waiting_;  // bytes that are not decoded yet, while they are held
  Target target_;
  bool begun_ = false;
  bool held_ = true;
  bool undecoded_ = false;  // the decoder has more to give
  bool complete_ = false;   // the connection has given all
  bool finished_ = false;   // and so has this
  bool told_ = false;       // the exchange, that the form is whole
};

}  // namespace squall::web
