// SPDX-License-Identifier: Apache-2.0
#include "http/content_encoder.hpp"

#include <squall/base/limits.hpp>

#include <algorithm>
#include <array>
#include <brotli/encode.h>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>
#include <zlib.h>
#include <zstd.h>

namespace squall::http {
namespace detail {

enum class Push : std::uint8_t { data, flush, end };

/// One library's stream, which can begin again.
class EncoderState {
 public:
  EncoderState(ContentCoding coding, int level) noexcept : coding_(coding), level_(level) {}
  EncoderState(const EncoderState&) = delete;
  EncoderState& operator=(const EncoderState&) = delete;
  virtual ~EncoderState() = default;

  [[nodiscard]] ContentCoding coding() const noexcept { return coding_; }
  [[nodiscard]] int level() const noexcept { return level_; }

  /// Forgets the last stream and begins one; false when there is no memory for it.
  [[nodiscard]] virtual bool begin(std::uint64_t size) noexcept = 0;
  virtual void push(std::string_view in, Push how, std::string& out) = 0;
  /// Gives back what a state that waits for its next stream needs not hold.
  virtual void rest() noexcept {}

 private:
  ContentCoding coding_;
  int level_;
};

}  // namespace detail

namespace {

using detail::EncoderState;
using detail::Push;

constexpr int window_log = 19;  // 512 KiB
constexpr std::size_t room_bytes = 16 * 1024;

class ZlibState final : public EncoderState {
 public:
  using EncoderState::EncoderState;
  ~ZlibState() override {
    if (made_) ::deflateEnd(&stream_);
  }

  bool begin(std::uint64_t) noexcept override {
    if (made_) return ::deflateReset(&stream_) == Z_OK;
    const int gzip = coding() == ContentCoding::gzip ? 16 : 0;
    made_ = ::deflateInit2(&stream_, level(), Z_DEFLATED, MAX_WBITS + gzip, 8,
                           Z_DEFAULT_STRATEGY) == Z_OK;
    return made_;
  }

  void push(std::string_view in, Push how, std::string& out) override {
    constexpr std::size_t most = 1U << 30;  // zlib counts in unsigned int
    while (in.size() > most) {
      run(in.substr(0, most), Z_NO_FLUSH, out);
      in.remove_prefix(most);
    }
    run(in, how == Push::data ? Z_NO_FLUSH : how == Push::flush ? Z_SYNC_FLUSH : Z_FINISH, out);
  }

 private:
  void run(std::string_view in, int flush, std::string& out) {
    std::array<unsigned char, room_bytes> room;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    do {
      stream_.next_out = room.data();
      stream_.avail_out = static_cast<uInt>(room.size());
      ::deflate(&stream_, flush);
      out.append(reinterpret_cast<const char*>(room.data()), room.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
  bool made_ = false;
};

/// Memory of one Brotli encoder. The library has no way to begin again, so the blocks that one
/// stream gave back are handed to the next, which wants the same sizes.
class BlockCache {
 public:
  BlockCache() noexcept = default;
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;
  ~BlockCache() { drop(); }

  static void* allocate(void* cache, std::size_t size) {
    return static_cast<BlockCache*>(cache)->take(size);
  }
  static void give_back(void* cache, void* block) {
    if (block != nullptr) static_cast<BlockCache*>(cache)->keep(block);
  }
  void drop() noexcept {
    for (Header*& block : idle_) std::free(std::exchange(block, nullptr));
    idle_bytes_ = 0;
  }
  [[nodiscard]] std::size_t idle_bytes() const noexcept { return idle_bytes_; }

 private:
  struct alignas(std::max_align_t) Header {
    std::size_t size;
  };

  void* take(std::size_t size) noexcept {
    Header** best = nullptr;
    for (Header*& block : idle_) {
      // Not one far too large: it would be missing where it is needed.
      if (block == nullptr || block->size < size || block->size > size + size / 4 + 64) continue;
      if (best == nullptr || block->size < (*best)->size) best = &block;
    }
    if (best != nullptr) {
      Header* const block = std::exchange(*best, nullptr);
      idle_bytes_ -= block->size;
      return block + 1;
    }
    auto* const block = static_cast<Header*>(std::malloc(sizeof(Header) + size));
    if (block == nullptr) return nullptr;
    block->size = size;
    return block + 1;
  }

  void keep(void* memory) noexcept {
    Header* block = static_cast<Header*>(memory) - 1;
    for (Header*& place : idle_) {
      if (place == nullptr) {
        idle_bytes_ += block->size;
        place = block;
        return;
      }
    }
    std::free(block);
  }

  std::array<Header*, 24> idle_{};
  std::size_t idle_bytes_ = 0;
};

class BrotliState final : public EncoderState {
 public:
  using EncoderState::EncoderState;
  ~BrotliState() override { BrotliEncoderDestroyInstance(encoder_); }

  bool begin(std::uint64_t size) noexcept override {
    BrotliEncoderDestroyInstance(encoder_);
    encoder_ = BrotliEncoderCreateInstance(&BlockCache::allocate, &BlockCache::give_back, &blocks_);
    if (encoder_ == nullptr) return false;
    BrotliEncoderSetParameter(encoder_, BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(level()));
    BrotliEncoderSetParameter(encoder_, BROTLI_PARAM_LGWIN, window_log);
    if (size != ContentEncoder::unknown_size) {
      BrotliEncoderSetParameter(
          encoder_, BROTLI_PARAM_SIZE_HINT,
          static_cast<std::uint32_t>(std::min<std::uint64_t>(size, 1U << 30)));
    }
    return true;
  }

  void push(std::string_view in, Push how, std::string& out) override {
    const BrotliEncoderOperation operation = how == Push::data    ? BROTLI_OPERATION_PROCESS
                                             : how == Push::flush ? BROTLI_OPERATION_FLUSH
                                                                  : BROTLI_OPERATION_FINISH;
    const auto* at = reinterpret_cast<const std::uint8_t*>(in.data());
    std::size_t left = in.size();
    do {
      std::size_t none = 0;
      if (BrotliEncoderCompressStream(encoder_, operation, &left, &at, &none, nullptr, nullptr) ==
          BROTLI_FALSE) {
        throw std::bad_alloc();
      }
      while (BrotliEncoderHasMoreOutput(encoder_) != BROTLI_FALSE) {
        std::size_t size = 0;
        const std::uint8_t* const ready = BrotliEncoderTakeOutput(encoder_, &size);
        out.append(reinterpret_cast<const char*>(ready), size);
      }
    } while (left != 0);
  }

  void rest() noexcept override {
    constexpr std::size_t most = 4 * 1024 * 1024;
    BrotliEncoderDestroyInstance(std::exchange(encoder_, nullptr));
    if (blocks_.idle_bytes() > most) blocks_.drop();
  }

 private:
  BlockCache blocks_;
  BrotliEncoderState* encoder_ = nullptr;
};

class ZstdState final : public EncoderState {
 public:
  using EncoderState::EncoderState;
  ~ZstdState() override { ZSTD_freeCCtx(context_); }

  bool begin(std::uint64_t size) noexcept override {
    if (context_ == nullptr) {
      context_ = ZSTD_createCCtx();
      if (context_ == nullptr) return false;
      ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level());
      ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, window_log);
    }
    ZSTD_CCtx_reset(context_, ZSTD_reset_session_only);
    const bool known = size != ContentEncoder::unknown_size;
    ZSTD_CCtx_setPledgedSrcSize(context_, known ? size : ZSTD_CONTENTSIZE_UNKNOWN);
    return true;
  }

  void push(std::string_view in, Push how, std::string& out) override {
    const ZSTD_EndDirective directive = how == Push::data    ? ZSTD_e_continue
                                        : how == Push::flush ? ZSTD_e_flush
                                                             : ZSTD_e_end;
    std::array<char, room_bytes> room;
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    for (;;) {
      ZSTD_outBuffer output{room.data(), room.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_, &output, &input, directive);
      if (ZSTD_isError(left) != 0U) throw std::bad_alloc();
      out.append(room.data(), output.pos);
      if (how == Push::data ? input.pos == input.size : left == 0) return;
    }
  }

 private:
  ZSTD_CCtx* context_ = nullptr;
};

int usual_level(ContentCoding coding) noexcept {
  switch (coding) {
    case ContentCoding::br:
      return 4;
    case ContentCoding::zstd:
      return 3;
    default:
      return 6;
  }
}

int level_within(ContentCoding coding, int level) noexcept {
  if (level == ContentEncoder::default_level) return usual_level(coding);
  switch (coding) {
    case ContentCoding::br:
      return std::clamp(level, 0, 11);
    case ContentCoding::zstd:
      return std::clamp(level, 1, 19);
    default:
      return std::clamp(level, 1, 9);
  }
}

std::unique_ptr<EncoderState> make_state(ContentCoding coding, int level) {
  switch (coding) {
    case ContentCoding::br:
      return std::make_unique<BrotliState>(coding, level);
    case ContentCoding::zstd:
      return std::make_unique<ZstdState>(coding, level);
    default:
      return std::make_unique<ZlibState>(coding, level);
  }
}

/// What this thread's encoders left behind.
struct Idle {
  std::array<std::array<std::unique_ptr<EncoderState>, limits::idle_content_encoders>,
             content_coding_count>
      states;
  std::size_t in_use = 0;

  std::unique_ptr<EncoderState> take(ContentCoding coding, int level) {
    for (auto& state : states[static_cast<std::size_t>(coding)]) {
      if (state && state->level() == level) return std::move(state);
    }
    return make_state(coding, level);
  }

  void keep(std::unique_ptr<EncoderState> state) noexcept {
    state->rest();
    auto& places = states[static_cast<std::size_t>(state->coding())];
    for (auto& place : places) {
      if (!place) {
        place = std::move(state);
        return;
      }
    }
    places.back() = std::move(state);  // of another level than what is asked for now, perhaps
  }
};
thread_local Idle idle;

}  // namespace

std::size_t content_encoders_in_use() noexcept { return idle.in_use; }

ContentEncoder::ContentEncoder(ContentCoding coding, int level, std::uint64_t size) {
  if (coding == ContentCoding::identity) return;
  std::unique_ptr<EncoderState> state = idle.take(coding, level_within(coding, level));
  if (!state->begin(size)) throw std::bad_alloc();
  state_ = state.release();
  ++idle.in_use;
}

ContentEncoder::ContentEncoder(ContentEncoder&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)) {}

ContentEncoder& ContentEncoder::operator=(ContentEncoder&& other) noexcept {
  if (this != &other) {
    release();
    state_ = std::exchange(other.state_, nullptr);
  }
  return *this;
}

ContentEncoder::~ContentEncoder() { release(); }

void ContentEncoder::release() noexcept {
  if (state_ == nullptr) return;
  --idle.in_use;
  idle.keep(std::unique_ptr<EncoderState>(std::exchange(state_, nullptr)));
}

void ContentEncoder::write(std::string_view in, std::string& out) {
  if (!in.empty()) state_->push(in, Push::data, out);
}

void ContentEncoder::flush(std::string& out) { state_->push({}, Push::flush, out); }

void ContentEncoder::finish(std::string& out) {
  state_->push({}, Push::end, out);
  release();
}

}  // namespace squall::http
