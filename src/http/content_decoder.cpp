// SPDX-License-Identifier: Apache-2.0
#include "http/content_decoder.hpp"

#include "http/ascii.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <brotli/decode.h>
#include <string>
#include <utility>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace squall::http {
namespace detail {

/// One coding, undone, with the room for what comes out of it.
class DecoderLayer {
 public:
  DecoderLayer() noexcept = default;
  DecoderLayer(const DecoderLayer&) = delete;
  DecoderLayer& operator=(const DecoderLayer&) = delete;
  virtual ~DecoderLayer() = default;

  /// Takes from `in` until there is data, or `in` is used up. The data is valid until the next
  /// call.
  Result<std::string_view> decode(std::string_view& in) {
    for (;;) {
      const std::size_t before = in.size();
      std::size_t made = 0;
      const DecodeError error = run(in, made);
      if (error != DecodeError{}) return error;
      taken_ += before - in.size();
      made_ += made;
      if (made_ > limits_.max_bytes) return DecodeError::too_large;
      if (made_ > limits::decoded_free_bytes && made_ / limits_.max_ratio > taken_) {
        return DecodeError::ratio_too_high;
      }
      if (made != 0) return std::string_view(room_.data(), made);
      if (in.empty()) return std::string_view();
      if (in.size() == before) return DecodeError::bad_data;  // there is no way on
    }
  }
  [[nodiscard]] bool is_complete() const noexcept { return taken_ == 0 || ended(); }
  void set_limits(const DecoderLimits& limits) noexcept { limits_ = limits; }

 protected:
  /// Fills room_ as far as it can.
  virtual DecodeError run(std::string_view& in, std::size_t& made) = 0;
  [[nodiscard]] virtual bool ended() const noexcept = 0;

  std::array<char, 16 * 1024> room_;

 private:
  DecoderLimits limits_;
  std::uint64_t taken_ = 0;
  std::uint64_t made_ = 0;
};

}  // namespace detail

namespace {

constexpr DecodeError none{};
constexpr int window_log_max = 23;  // 8 MiB, RFC 9659 §3

class Inflate final : public detail::DecoderLayer {
 public:
  explicit Inflate(ContentCoding coding) noexcept : gzip_(coding == ContentCoding::gzip) {}
  ~Inflate() override {
    if (made_) ::inflateEnd(&stream_);
  }

 protected:
  DecodeError run(std::string_view& in, std::size_t& made) override {
    if (!made_) {
      if (::inflateInit2(&stream_, MAX_WBITS + (gzip_ ? 16 : 0)) != Z_OK) {
        return DecodeError::no_memory;
      }
      made_ = true;
    }
    if (ended_) {
      if (in.empty()) return none;
      if (!gzip_) return DecodeError::bad_data;
      ::inflateReset(&stream_);  // the next member, RFC 1952 §2.2
      ended_ = false;
    }
    const auto size = static_cast<uInt>(std::min<std::size_t>(in.size(), 1U << 30));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = size;
    stream_.next_out = reinterpret_cast<Bytef*>(room_.data());
    stream_.avail_out = static_cast<uInt>(room_.size());
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(size - stream_.avail_in);
    made = room_.size() - stream_.avail_out;
    ended_ = code == Z_STREAM_END;
    if (code == Z_MEM_ERROR) return DecodeError::no_memory;
    // Z_BUF_ERROR is no error: there was nothing to do.
    return code == Z_OK || ended_ || code == Z_BUF_ERROR ? none : DecodeError::bad_data;
  }
  bool ended() const noexcept override { return ended_; }

 private:
  z_stream stream_{};
  bool gzip_;
  bool made_ = false;
  bool ended_ = false;
};

class Brotli final : public detail::DecoderLayer {
 public:
  Brotli() noexcept : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {}
  ~Brotli() override { BrotliDecoderDestroyInstance(state_); }

 protected:
  DecodeError run(std::string_view& in, std::size_t& made) override {
    if (state_ == nullptr) return DecodeError::no_memory;
    if (ended()) return in.empty() ? none : DecodeError::bad_data;
    std::size_t left = in.size();
    const auto* at = reinterpret_cast<const std::uint8_t*>(in.data());
    std::size_t room = room_.size();
    auto* out = reinterpret_cast<std::uint8_t*>(room_.data());
    const auto result = BrotliDecoderDecompressStream(state_, &left, &at, &room, &out, nullptr);
    in.remove_prefix(in.size() - left);
    made = room_.size() - room;
    if (result != BROTLI_DECODER_RESULT_ERROR) return none;
    const auto code = static_cast<int>(BrotliDecoderGetErrorCode(state_));
    const bool memory = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                        code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
    return memory ? DecodeError::no_memory : DecodeError::bad_data;
  }
  bool ended() const noexcept override {
    return state_ != nullptr && BrotliDecoderIsFinished(state_) != BROTLI_FALSE;
  }

 private:
  BrotliDecoderState* state_;
};

class Zstd final : public detail::DecoderLayer {
 public:
  Zstd() noexcept : context_(ZSTD_createDCtx()) {
    if (context_ != nullptr) {
      ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, window_log_max);
    }
  }
  ~Zstd() override { ZSTD_freeDCtx(context_); }

 protected:
  DecodeError run(std::string_view& in, std::size_t& made) override {
    if (context_ == nullptr) return DecodeError::no_memory;
    // The library takes too many calls that lead nowhere for an error.
    if (in.empty() && !more_) return none;
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{room_.data(), room_.size(), 0};
    const std::size_t hint = ZSTD_decompressStream(context_, &output, &input);
    in.remove_prefix(input.pos);
    made = output.pos;
    if (ZSTD_isError(hint) == 0U) {
      ended_ = hint == 0;  // of a frame; another may follow
      more_ = made == room_.size() && !ended_;
      return none;
    }
    switch (ZSTD_getErrorCode(hint)) {
      case ZSTD_error_memory_allocation:
        return DecodeError::no_memory;
      case ZSTD_error_frameParameter_windowTooLarge:
        return DecodeError::window_too_large;
      default:
        return DecodeError::bad_data;
    }
  }
  bool ended() const noexcept override { return ended_; }

 private:
  ZSTD_DCtx* context_;
  bool ended_ = true;
  bool more_ = false;  // than the room had place for
};

std::unique_ptr<detail::DecoderLayer> make_layer(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::br:
      return std::make_unique<Brotli>();
    case ContentCoding::zstd:
      return std::make_unique<Zstd>();
    default:
      return std::make_unique<Inflate>(coding);
  }
}

const char* text_of(DecodeError error) noexcept {
  switch (error) {
    case DecodeError::bad_data:
      return "malformed coded content";
    case DecodeError::truncated:
      return "coded content ended early";
    case DecodeError::too_large:
      return "decoded content too large";
    case DecodeError::ratio_too_high:
      return "coded content grows too much";
    case DecodeError::unknown_coding:
      return "unknown content coding";
    case DecodeError::too_many_codings:
      return "too many content codings";
    case DecodeError::window_too_large:
      return "Zstandard window too large";
    case DecodeError::no_memory:
      return "no memory to decode content";
  }
  return "unknown error";
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.http.content_decoder"; }
  std::string message(int value) const override { return text_of(static_cast<DecodeError>(value)); }
};

}  // namespace

std::error_code make_error_code(DecodeError error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

std::uint16_t status_for(DecodeError error) noexcept {
  switch (error) {
    case DecodeError::too_large:
    case DecodeError::ratio_too_high:
      return 413;
    case DecodeError::unknown_coding:
    case DecodeError::too_many_codings:
    case DecodeError::window_too_large:
      return 415;
    case DecodeError::no_memory:
      return 503;
    default:
      return 400;
  }
}

ContentDecoder::ContentDecoder() noexcept = default;
ContentDecoder::ContentDecoder(ContentDecoder&& other) noexcept = default;
ContentDecoder& ContentDecoder::operator=(ContentDecoder&& other) noexcept = default;
ContentDecoder::~ContentDecoder() = default;

Result<void> ContentDecoder::add(std::string_view list, const DecoderLimits& limits) {
  for (ListReader reader(list); reader.next();) {
    if (reader.element().empty()) continue;
    const auto coding = content_coding(reader.element());
    if (!coding) return DecodeError::unknown_coding;
    if (*coding == ContentCoding::identity) continue;
    if (layer_count_ == layers_.size()) return DecodeError::too_many_codings;
    layers_[layer_count_] = make_layer(*coding);
    layers_[layer_count_++]->set_limits(limits);
  }
  return {};
}

Result<ContentDecoder> ContentDecoder::create(std::string_view content_encoding,
                                              const DecoderLimits& limits) {
  ContentDecoder decoder;
  decoder.max_bytes_ = limits.max_bytes;
  const auto added = decoder.add(content_encoding, limits);
  if (!added) return added.error();
  std::reverse(decoder.layers_.begin(), decoder.layers_.begin() + decoder.layer_count_);
  return decoder;
}

Result<ContentDecoder> ContentDecoder::create(const RequestHead& head,
                                              const DecoderLimits& limits) {
  ContentDecoder decoder;
  decoder.max_bytes_ = limits.max_bytes;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (!ascii::equal(head.field_name(i), "Content-Encoding")) continue;
    const auto added = decoder.add(head.field_value(i), limits);
    if (!added) return added.error();
  }
  std::reverse(decoder.layers_.begin(), decoder.layers_.begin() + decoder.layer_count_);
  return decoder;
}

Result<ContentDecoder::Step> ContentDecoder::next(std::string_view in) {
  const std::size_t size = in.size();
  if (layer_count_ == 0) {
    passed_ += size;
    if (passed_ > max_bytes_) return DecodeError::too_large;
    return Step{size, in};
  }
  Result<std::string_view> data = pull(layer_count_ - 1, in);
  if (!data) return data.error();
  return Step{size - in.size(), *data};
}

// Each layer reads what the one before it has in its room, until that is used up.
Result<std::string_view> ContentDecoder::pull(std::size_t layer, std::string_view& in) {
  auto& here = *layers_[layer];
  if (layer == 0) return here.decode(in);
  for (;;) {
    std::string_view& source = unread_[layer];
    Result<std::string_view> data = here.decode(source);
    if (!data || !data->empty()) return data;
    Result<std::string_view> more = pull(layer - 1, in);
    if (!more || more->empty()) return more;
    source = *more;
  }
}

Result<void> ContentDecoder::finish() const noexcept {
  for (std::size_t i = 0; i < layer_count_; ++i) {
    if (!layers_[i]->is_complete()) return DecodeError::truncated;
  }
  return {};
}

}  // namespace squall::http
