// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/chunked_decoder.hpp"
#include "http/head_parser.hpp"
#include "loop/stream.hpp"
#include "net/tls_filter.hpp"
#include "server/connection_list.hpp"
#include "server/exchange.hpp"

#include <squall/coro/detail/scheduler.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace squall::server {

class HTTPServer;
struct ServerPort;

/// One HTTP/1.x connection of a server: reads requests one after the other and writes their
/// responses (RFC 9112). Pipelined requests of one read are answered by one write.
///
/// Between requests it owns no buffer. It deletes itself when the connection is over.
class HTTP1Connection final : public Connection,
                              private loop::StreamHandler,
                              private ResponseWriter,
                              private detail::ReadyNode {
 public:
  static void start(ServerPort& port, UniqueFd fd, const net::SocketAddress& peer, Place place = 0);
  /// For a stream that another owned so far; begin() is to follow.
  static HTTP1Connection& take_over(ServerPort& port, loop::Stream& stream,
                                    const net::SocketAddress& peer);
  /// Begins with TLS, where the port has it, and with the bytes that have come. May delete this.
  void begin(std::span<char> first);

  void drain() override;
  void abort_now() noexcept override;

 private:
  /// What is being read.
  enum class Phase : std::uint8_t {
    head,         // a request head, or its first byte
    length_body,  // a body of remaining_in_ more bytes
    chunked_body,
    waiting,  // for the response; what arrives is kept
    over,     // nothing more is read: the connection closes with the response
  };
  /// Input that is not whole yet; exists only then.
  struct Input : detail::Pooled {
    [[nodiscard]] std::string_view unread() const noexcept {
      return std::string_view(bytes).substr(used);
    }
    std::string bytes;
    std::size_t used = 0;  // of bytes, from the front
    http::RequestHeadParser parser;
    http::RequestHead head;
    http::ChunkedDecoder decoder;
    // Of a body, once body_input() has begun them.
    bool has_body = false;
    BodyLimits limits;
    std::uint64_t received = 0;       // bytes that came while it was read
    std::uint64_t read_since_ms = 0;  // less the time it was paused
    std::uint64_t paused_since_ms = 0;
  };

  /// What only connections with TLS have.
  struct Secure final : net::TLSFilter::Observer, detail::Pooled {
    explicit Secure(HTTP1Connection& owner) noexcept : connection(owner) {}
    void on_handshake_done() override;
    void on_handshake_failed(std::error_code error, std::string_view reason) override;
    std::string_view answer_to_plain_http() override;

    HTTP1Connection& connection;
    net::TLSFilter* filter = nullptr;
  };

  HTTP1Connection(ServerPort& port, const net::SocketAddress& peer) noexcept;
  ~HTTP1Connection() override = default;

  // loop::StreamHandler
  void on_receive(std::span<char> bytes) override;
  void on_eof() override;
  void on_peer_left() override;
  void on_drained() override;
  void on_timeout() override;
  void on_broken(std::error_code error) override;
  [[nodiscard]] std::uint32_t min_write_rate() const noexcept override;

  // ResponseWriter
  void write_head(const ResponseHead& head, std::string_view body, bool last) override;
  void write_body(std::string_view bytes) override;
  void write_owned(std::string&& bytes) override;
  void write_file(loop::SharedFile file, off_t offset, std::size_t bytes) override;
  void write_framed(const SharedBytes& chunk) override;
  void finish(std::span<const ResponseField> trailers) override;
  void write_informational(unsigned status, std::span<const ResponseField> fields) override;
  void abort() noexcept override;
  [[nodiscard]] std::size_t pending_bytes() const noexcept override;
  void request_drain_notice() noexcept override;
  void set_delegate(MessageDelegate& delegate) noexcept override { exchange_ = &delegate; }
  void set_write_timeout(Duration timeout) noexcept override;
  void pause_body() noexcept override;
  void resume_body() noexcept override;
  void set_body_limits(const BodyLimits& limits) override;
  [[nodiscard]] const net::SocketAddress& peer() const noexcept override { return peer_; }
  [[nodiscard]] bool is_secure() const noexcept override { return secure_ != nullptr; }
  [[nodiscard]] net::TLSInfo tls_info() const override;
  WebSocketConnection& accept_websocket(std::span<const ResponseField> fields,
                                        WebSocketDelegate& delegate) override;
  net::Stream switch_protocols(std::string_view protocol,
                               std::span<const ResponseField> fields) override;

  void set_write_limits() noexcept;

  // Reading.
  void process(std::string_view in, bool from_input);
  bool read_head(std::string_view& in, bool from_input);
  void begin_request(const http::RequestHead& head, std::string_view rest);
  void request_complete(http::Trailers* trailers = nullptr);
  void keep(std::string_view rest, bool from_input);
  void continue_reading();
  [[nodiscard]] bool holds_input() const noexcept {
    return phase_ == Phase::waiting || body_paused_ || ReadyNode::is_linked();
  }

  // Reading a body; in http1_body.cpp.
  [[nodiscard]] bool in_body() const noexcept {
    return phase_ == Phase::length_body || phase_ == Phase::chunked_body;
  }
  Input& body_input();
  bool begin_body(bool nothing_here);
  bool read_length_body(std::string_view& in);
  bool read_chunked_body(std::string_view& in);
  bool take_body(std::string_view piece);
  void await_body();
  void refuse_body(unsigned status, std::string_view why);
  [[nodiscard]] bool may_discard() const noexcept;
  void discard_body() noexcept;
  void go_on_later() noexcept;

  // Writing.
  void write_switch(std::string_view protocol, std::span<const ResponseField> fields);
  void count_body(std::size_t bytes);
  void open_chunk(std::size_t bytes);
  void close_chunk();
  void end_response();
  void refuse(unsigned status, std::string_view why);

  // Ends; each deletes this, unless process() is running, which does it then.
  void close(loop::Stream::Linger linger);
  void drop_exchange();
  void destroy();

  HTTPServer& server_;
  ServerPort& port_;
  loop::Stream* stream_ = nullptr;
  std::unique_ptr<Secure> secure_;
  MessageDelegate* exchange_ = nullptr;
  WebSocketConnection* upgraded_ = nullptr;
  const std::string_view* reading_ = nullptr;  // what process() has not used yet
  std::unique_ptr<Input> input_;
  std::uint64_t remaining_in_ = 0;
  std::uint64_t remaining_out_ = 0;  // of an announced Content-Length
  net::SocketAddress peer_;
  std::uint32_t request_count_ = 0;
  Phase phase_ = Phase::head;
  bool head_begun_ : 1 = false;  // a part of a head is here and its deadline runs
  bool processing_ : 1 = false;
  bool dead_ : 1 = false;  // closed while processing
  bool preserved_ : 1 = false;
  bool keep_alive_ : 1 = true;  // after this response
  bool http_1_0_ : 1 = false;
  bool head_request_ : 1 = false;
  bool expect_continue_ : 1 = false;  // 100 is still owed
  bool body_begun_ : 1 = false;       // its limits have been looked at
  bool body_paused_ : 1 = false;      // the delegate wants none now
  bool head_written_ : 1 = false;
  bool bodiless_ : 1 = false;  // the response must not carry a body
  bool chunked_ : 1 = false;
  bool has_length_ : 1 = false;
  bool taken_over_ : 1 = false;         // another protocol has the stream
  bool own_write_timeout_ : 1 = false;  // set for this response
};

}  // namespace squall::server
