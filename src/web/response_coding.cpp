// SPDX-License-Identifier: Apache-2.0
#include "web/response_coding.hpp"

#include "base/logging.hpp"
#include "http/ascii.hpp"
#include "http/content_coding.hpp"
#include "http/tokens.hpp"
#include "web/exchange.hpp"
#include "web/recycle.hpp"

#include <memory>
#include <optional>

// How the body of a response is compressed, and when. What it costs an exchange that is not: a test
// in write_head(), flush(), finish().
namespace squall::web {
namespace {

// Fields that tell something of the bytes as the handler wrote them.
constexpr std::string_view binding_fields[] = {
    "Content-Encoding", "Content-Range", "Content-Digest", "Content-MD5", "Digest", "Repr-Digest"};

int level_of(const Compression& settings, http::ContentCoding coding) noexcept {
  switch (coding) {
    case http::ContentCoding::br:
      return settings.br_level < 7 ? settings.br_level : 7;
    case http::ContentCoding::zstd:
      return settings.zstd_level < 9 ? settings.zstd_level : 9;
    default:
      return settings.gzip_level;
  }
}

http::ContentCoding negotiate(const Compression& settings, const http::AcceptEncoding& accept) {
  using http::ContentCoding;
  // Among equals the one that costs least for what it saves.
  ContentCoding available[4];
  std::size_t count = 0;
  if (settings.zstd) available[count++] = ContentCoding::zstd;
  if (settings.br) available[count++] = ContentCoding::br;
  if (settings.gzip) available[count++] = ContentCoding::gzip;
  available[count++] = ContentCoding::identity;
  // RFC 9110 §12.5.3: what nobody can have is sent as it is.
  return accept.choose({available, count}).value_or(ContentCoding::identity);
}

}  // namespace

void code_whole(http::ContentEncoder encoder, std::string& body) {
  thread_local std::string coded;
  coded.clear();  // of an attempt that failed
  encoder.write(body, coded);
  encoder.finish(coded);
  coded.swap(body);
  recycle(coded);
}

void ResponseCoder::add(std::string& body, bool last) {
  if (!encoder_) {
    body.clear();
    return;
  }
  if (!body.empty()) {
    if (input_.empty()) {
      input_.swap(body);
    } else {
      input_.append(body);
    }
    flush_wanted_ = true;
  }
  end_wanted_ = end_wanted_ || last;
}

void ResponseCoder::run_slice() {
  recycle(coded_);
  const std::string_view slice = std::string_view(input_).substr(at_, slice_bytes_);
  encoder_.write(slice, coded_);
  at_ += slice.size();
  if (at_ != input_.size()) return;
  recycle(input_);
  at_ = 0;
  if (end_wanted_) {
    encoder_.finish(coded_);
  } else if (flush_wanted_) {
    encoder_.flush(coded_);
  }
  flush_wanted_ = end_wanted_ = false;
}

void Exchange::set_compression(bool wanted) {
  forbid_after_finish();
  if (head_written_) throw UsageError("set_compression() after flush(): the headers have left");
  coding_wish_ = wanted ? CodingWish::yes : CodingWish::no;
}

// Caches must not give one client what was coded for another (RFC 9110 §12.5.5).
void Exchange::vary_on(std::string_view name) {
  std::string value;
  for (const Header& entry : headers_) {
    if (!http::ascii::equal(text(entry.name_at, entry.name_size), "Vary")) continue;
    const std::string_view line = text(entry.value_at, entry.value_size);
    if (http::has_token(line, "*") || http::has_token(line, name)) return;
    if (!value.empty() && !line.empty()) value += ", ";
    value += line;
  }
  if (!value.empty()) value += ", ";
  set_header("Vary", value.append(name));
}

// RFC 9110 §8.8.1: the coded bytes are others, and not always the same.
void Exchange::weaken_etag() {
  const std::string_view etag = header("ETag");
  if (!etag.empty() && !etag.starts_with("W/")) set_header("ETag", "W/" + std::string(etag));
}

// Identity when the response is not to be coded. Says Vary where others may get it coded.
http::ContentCoding Exchange::choose_coding(std::optional<std::uint64_t> size) {
  using http::ContentCoding;
  if (coding_wish_ == CodingWish::no || status_ == 204 || status_ == 205 || status_ == 206) {
    return ContentCoding::identity;
  }
  if (!http::is_compressible(header("Content-Type"))) return ContentCoding::identity;
  for (const std::string_view name : binding_fields) {
    if (!header(name).empty()) return ContentCoding::identity;
  }
  for (const Header& entry : headers_) {  // RFC 9111 §5.2.2.6
    if (http::ascii::equal(text(entry.name_at, entry.name_size), "Cache-Control") &&
        http::has_token(text(entry.value_at, entry.value_size), "no-transform")) {
      return ContentCoding::identity;
    }
  }
  vary_on("Accept-Encoding");
  const Compression& settings = worker_.application().settings.compression;
  const http::AcceptEncoding accept(*head_);
  const bool too_small =
      size &&
      (*size == 0 || (*size < settings.min_size && accept.accepts(ContentCoding::identity)));
  return too_small ? ContentCoding::identity : negotiate(settings, accept);
}

// With `last`, body_out_ is all there is. Either codes it where it is, or leaves a coder for what
// comes, or does nothing.
void Exchange::prepare_coding(bool last) {
  coder_.reset();  // of an attempt that failed
  const bool for_head = head_->method() == http::Method::head;
  std::optional<std::uint64_t> size = announced_length();
  const bool is_announced = size.has_value();
  if (last && size && *size != body_out_.size() && !(for_head && body_out_.empty())) {
    return;  // write_head() has something to say about that
  }
  if (status_ == 304) {
    weaken_etag_unsent(size);
    return;
  }
  if (last && !size) size = body_out_.size();
  const http::ContentCoding coding = choose_coding(size);
  if (coding == http::ContentCoding::identity) return;
  if (http::content_encoders_in_use() >= limits::content_encoders) return;
  const int level = level_of(worker_.application().settings.compression, coding);
  const std::size_t slice = coding_slice_bytes(coding, level);
  const bool at_once = last && !body_out_.empty() && body_out_.size() <= slice;
  http::ContentEncoder encoder;
  if (at_once || !for_head) {
    encoder = http::ContentEncoder(coding, level,
                                   last ? body_out_.size() : http::ContentEncoder::unknown_size);
  }
  if (is_announced) clear_header("Content-Length");
  clear_header("Accept-Ranges");  // ranges are of the plain bytes
  set_header("Content-Encoding", http::to_string(coding));
  weaken_etag();
  if (at_once) {
    code_whole(std::move(encoder), body_out_);
  } else {
    coder_ = std::make_unique<ResponseCoder>(
        *this, std::move(encoder), slice, [](squall::detail::ReadyNode& node) noexcept {
          static_cast<ResponseCoder&>(node).exchange().go_on_coding();
        });
  }
}

// Of a 304, which has the fields that a 200 would have (RFC 9110 §15.4.5).
void Exchange::weaken_etag_unsent(std::optional<std::uint64_t> size) {
  if (choose_coding(size) != http::ContentCoding::identity) weaken_etag();
}

// Hands body_out_ to the coder. What is small leaves at once.
void Exchange::code_body(bool last) {
  coder_->add(body_out_, last);
  body_out_.clear();
  if (coder_->is_busy() && !coder_->is_linked()) code_slice();
}

void Exchange::code_slice() {
  coder_->run_slice();
  send_body(coder_->coded());
  if (coder_->is_busy()) squall::detail::Scheduler::current().make_ready(*coder_);
}

// The response ends when the last slice is coded.
void Exchange::finish_coded() {
  if (coder_->is_busy()) {
    finished_ = true;
    return;
  }
  finish_body();
  finished();
}

// In a turn of the loop, for what is left.
void Exchange::go_on_coding() noexcept {
  if (writer_ == nullptr) return;  // the client has gone
  ++entered_;
  try {
    code_slice();
    if (!coder_->is_busy()) {
      if (finished_) {
        finish_coded();
      } else {
        writer_->request_drain_notice();  // on_drained() may have been put off
      }
    }
  } catch (const std::exception& what) {
    log::format(log::Level::error, "app", "a response could not be compressed: {}", what.what());
    writer_->abort();
    finished();
  }
  --entered_;
  recycle_if_over();
}

}  // namespace squall::web
