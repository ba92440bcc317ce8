// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/stream.hpp"
#include "loop/stream_filter.hpp"

#include <squall/net/tls.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

struct ssl_st;

namespace squall::net {

enum class TLSContent : std::uint8_t;

/// TLS between a stream and its owner.
///
/// It reads records where the loop received them, and writes them where the stream sends from. What
/// several records hold is handed over in one piece, what several writes wrote goes into one
/// record. Once the handshake is over, an idle connection owns no buffer; of a server's connection
/// only the keys are left then, and not OpenSSL's object of 14 KB (see tls_records.hpp).
class TLSFilter final : public loop::StreamFilter {
 public:
  /// Told about the handshake, by the loop. It must live as long as it owns the stream.
  class Observer {
   public:
    /// The owner's bytes come and go from now on.
    virtual void on_handshake_done() = 0;
    /// The handshake has failed; on_broken(error) follows. `reason` is for the log.
    virtual void on_handshake_failed(std::error_code error, std::string_view reason) {
      static_cast<void>(error), static_cast<void>(reason);
    }
    /// What to answer a client that sends HTTP without TLS; nothing by default.
    virtual std::string_view answer_to_plain_http() { return {}; }

   protected:
    ~Observer() = default;
  };

  struct ClientParameters {
    /// Whom the certificate must be for, a host name or an IP address, and the server name to send
    /// (names only). Required where the context verifies.
    std::string_view server_name;
    /// Under which sessions are remembered; "" stands for the server name.
    std::string_view session_key = {};
    /// In place of the context's, unless "".
    std::string_view alpn = {};
  };

  /// Puts TLS on a stream that has just been accepted, and waits for the client.
  static TLSFilter& start_server(loop::Stream& stream, const TLSContext& context,
                                 Observer* observer);
  /// Puts TLS on a stream that has just been connected, and begins the handshake.
  static TLSFilter& start_client(loop::Stream& stream, const TLSContext& context,
                                 const ClientParameters& parameters, Observer* observer);
  ~TLSFilter() override;

  /// Whether the handshake has succeeded, also later, when the connection has failed.
  [[nodiscard]] bool is_handshake_done() const noexcept { return done_; }
  // All valid once the handshake is done.
  /// The protocol that ALPN chose; "" for none.
  [[nodiscard]] std::string_view alpn_protocol() const noexcept;
  /// The host name that the client asked for; "" for none.
  [[nodiscard]] std::string_view server_name() const noexcept;
  [[nodiscard]] std::string_view version() const noexcept;
  [[nodiscard]] std::string_view cipher() const noexcept;
  [[nodiscard]] bool session_reused() const noexcept;
  /// The server's stapled OCSP response, DER; empty when there is none.
  [[nodiscard]] std::string_view ocsp_response() const noexcept;
  /// All of it, and the peer's certificate.
  [[nodiscard]] TLSInfo info() const;

  // loop::StreamFilter
  void on_wire_bytes(std::span<char> bytes) override;
  void on_wire_eof() override;
  [[nodiscard]] bool is_ready() const noexcept override {
    return state_ == State::open || state_ == State::ended;
  }
  void seal(loop::OutputQueue& wire) override;
  void seal_end(loop::OutputQueue& wire) override;

 private:
  friend struct TLSCallbacks;
  struct Handshake;
  struct Established;
  enum class State : std::uint8_t {
    handshake,
    open,
    ended,   // the peer has said that no more comes from it
    failed,  // nothing is read or written any more
  };

  TLSFilter(loop::Stream& stream, const TLSContext& context, Observer* observer);
  static TLSFilter& install(std::unique_ptr<TLSFilter> filter);
  void process(std::span<char> bytes);
  void shake_hands();
  void handshake_done();
  void continue_handshake() noexcept;
  void read_records();
  // With records of our own.
  void take_over(const Handshake& ended);
  void open_records(std::span<char> bytes);
  bool deliver(std::span<char> text);
  bool take_message(TLSContent type, std::span<const char> text);
  bool take_alert(std::span<const char> text);
  bool take_handshake_message(std::span<const char> text);
  bool stray();
  bool send_message(TLSContent type, std::string_view bytes);
  void fail_with_alert(int alert, std::string_view reason);
  bool seal_records(loop::OutputQueue& wire);
  // With OpenSSL's.
  std::span<const char> read_file();
  bool seal_file();
  bool seal_memory();
  bool encrypt(const char* bytes, std::size_t size);
  void fail(std::error_code error, std::string_view reason);

  loop::Stream& stream_;
  TLSContext context_;
  ssl_st* ssl_ = nullptr;
  std::unique_ptr<Handshake> handshake_;      // only while it lasts
  std::unique_ptr<Established> established_;  // then, in place of ssl_
  std::unique_ptr<std::string> session_key_;  // of a client that remembers sessions
  std::span<char> input_;                     // what OpenSSL has not taken yet of what arrived
  std::uint32_t reply_bytes_ = 0;             // written by OpenSSL itself since the handshake
  State state_ = State::handshake;
  bool done_ = false;
  bool sealing_ = false;
};

}  // namespace squall::net
