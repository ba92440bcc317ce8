// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/shared_bytes.hpp"
#include "loop/stream.hpp"
#include "transport/shared_frame.hpp"
#include "websocket/deflate.hpp"
#include "websocket/deflate_negotiation.hpp"
#include "websocket/frame.hpp"
#include "websocket/message_parser.hpp"

#include <squall/base/pool.hpp>
#include <squall/base/slow_consumer.hpp>
#include <squall/websocket/close_code.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace squall::transport {

class WebSocketDelegate;
class WebSocketOwner;
struct WebSocketOptions;

/// One end of one WebSocket (RFC 6455), after the handshake. It deletes itself after
/// WebSocketDelegate::on_close().
///
/// Idle, it owns no buffer. Control frames are answered as they come, also while the delegate is
/// busy with a message; messages wait meanwhile, and past a limit the peer waits. What came
/// before the peer's close is handed over before on_close(), for at most
/// WebSocketOptions::handling_timeout. For a peer that reads too slowly there is a policy.
class WebSocketConnection final : private loop::StreamHandler, public squall::detail::Pooled {
 public:
  using Role = websocket::MessageParser::Role;
  using SendResult = squall::SendResult;

  /// Takes the stream over. Messages are held back until resume(). What came behind the handshake
  /// already is to be given to take_over().
  static WebSocketConnection& start(loop::Stream& stream, Role role, WebSocketOwner& owner,
                                    WebSocketDelegate& delegate);

  WebSocketConnection(const WebSocketConnection&) = delete;
  WebSocketConnection& operator=(const WebSocketConnection&) = delete;

  /// Compresses messages and takes compressed ones, as was agreed on in the handshake; before
  /// anything is sent or taken over.
  void set_deflate(websocket::DeflateParameters parameters,
                   const websocket::CompressionOptions& options);
  /// Hands messages to WebSocketDelegate::on_piece() as they arrive, from the next one on, or whole
  /// again.
  void set_streaming(bool streaming) noexcept;
  void set_max_message_bytes(std::size_t bytes) noexcept { parser_.set_max_message_bytes(bytes); }
  /// Another policy than the owner's, and, unless it is zero, another limit. Messages that wait
  /// already are not looked at again until others come.
  void set_slow_consumer(SlowConsumer policy, std::size_t max_bytes = 0);

  /// A whole message, a ping or a pong. `key` says which older message a new one may replace
  /// (SlowConsumer::conflate). While a message is sent in parts, whole ones wait for its end.
  SendResult send(websocket::Opcode opcode, std::string_view payload, std::string_view key = {}) {
    if (is_plain_) [[likely]]
      return send_plainly(opcode, payload);
    return send_specially(opcode, payload, key);
  }
  /// The same of a message that is shared.
  SendResult send(SharedFrame& message, std::string_view key = {});
  /// A part of a message of this kind, as a frame of its own; the first after the last begins one.
  /// Parts are never dropped: past the limit the peer is disconnected, so wait for on_drained().
  SendResult send_part(websocket::Opcode opcode, std::string_view payload, bool last);
  /// Begins the close handshake (RFC 6455 §7.1.2); on_close() comes with its end. CloseCode::none
  /// sends an empty close frame. A reason past 123 bytes is cut at a character.
  void close(websocket::CloseCode code, std::string_view reason);
  /// Drops the connection; on_close() comes with `code`.
  void fail(websocket::CloseCode code, std::string_view reason);
  /// The delegate takes messages (again).
  void resume();

  [[nodiscard]] WebSocketOwner& owner() const noexcept { return owner_; }
  [[nodiscard]] bool is_open() const noexcept { return state_ == State::open; }
  /// What waits for the peer.
  [[nodiscard]] std::size_t pending_bytes() const noexcept;
  void request_drain_notice() noexcept;

  /// First bytes, which came with the handshake.
  void take_over(std::string_view bytes);
  /// Ends it at once; on_close() comes within the call.
  void abort_now() noexcept;

  /// The owner's, which may keep a number with each connection.
  [[nodiscard]] std::uint64_t tag() const noexcept { return tag_; }
  void set_tag(std::uint64_t tag) noexcept { tag_ = tag; }

 private:
  friend class WebSocketOwner;

  enum class State : std::uint8_t {
    open,        // both ways
    close_sent,  // our close frame is out; theirs is awaited
    closed,      // the stream is gone; on_close() is still to come
  };
  struct Extras;
  /// How one end compresses; connections of an owner have few different ones.
  struct Deflating {
    websocket::DeflateSettings settings;
    std::size_t min_bytes = 0;
    friend bool operator==(const Deflating&, const Deflating&) = default;
  };

  WebSocketConnection(loop::Stream& stream, Role role, WebSocketOwner& owner,
                      WebSocketDelegate& delegate) noexcept;
  ~WebSocketConnection();

  // loop::StreamHandler
  void on_receive(std::span<char> bytes) override;
  void on_eof() override;
  void on_peer_left() override;
  void on_drained() override;
  void on_timeout() override;
  void on_broken(std::error_code error) override;

  // Input.
  void handle(const websocket::MessageParser::Event& event);
  void answer_ping(std::string_view payload);
  void peer_ends(websocket::CloseCode code, std::string_view reason, bool handshake);
  void deliver(bool binary, std::string_view payload, bool last);
  [[nodiscard]] bool hand_over(bool binary, std::string_view payload, bool last, bool piece);
  void deliver_backlog();
  void limit_reading();
  void limit_handling() noexcept;
  [[nodiscard]] bool has_backlog() const noexcept;
  [[nodiscard]] bool may_read_on(std::size_t backlog_bytes) const noexcept;
  void keep_reason(std::string_view reason);
  [[nodiscard]] std::string take_reason() noexcept;

  // Output.
  SendResult send_plainly(websocket::Opcode opcode, std::string_view payload);
  SendResult send_specially(websocket::Opcode opcode, std::string_view payload,
                            std::string_view key);
  SendResult enqueue(SharedBytes frame, std::string_view key);
  [[nodiscard]] bool is_behind() const noexcept;
  [[nodiscard]] std::size_t low_mark() const noexcept;
  [[nodiscard]] bool has_room();
  void disconnect_slow_peer();
  void feed();
  void feed_all();
  void forward(const SharedBytes& frame);
  void write_frame(unsigned first_byte, std::string_view payload);
  void write_masked_frame(unsigned first_byte, std::string_view payload);
  void write_message(websocket::Opcode opcode, std::string_view payload);
  [[nodiscard]] const Deflating& deflate() const noexcept;
  [[nodiscard]] bool deflates(std::size_t bytes) const noexcept {
    return has_deflate_ && bytes >= deflate().min_bytes;
  }
  [[nodiscard]] bool compress(std::string_view message, std::string& out);
  [[nodiscard]] websocket::Deflater& deflater();
  void release_deflater() noexcept;
  void write_close(websocket::CloseCode code, std::string_view reason);
  void look_for_plain() noexcept;

  // The end, and time.
  void end(websocket::CloseCode code, std::string_view reason);
  void report_end() noexcept;
  void drop(websocket::CloseCode code, std::string_view reason);
  void start_pinging() noexcept;
  void ping_due();

  [[nodiscard]] const WebSocketOptions& options() const noexcept;
  [[nodiscard]] SlowConsumer policy() const noexcept;
  [[nodiscard]] std::size_t max_queue_bytes() const noexcept;
  [[nodiscard]] std::string_view area() const noexcept;
  Extras& extras();
  void trim_extras() noexcept;

  WebSocketOwner& owner_;
  WebSocketConnection* next_ = nullptr;
  WebSocketConnection* previous_ = nullptr;
  std::uint64_t tag_ = 0;
  loop::Stream* stream_;
  WebSocketDelegate& delegate_;
  websocket::MessageParser parser_;
  std::unique_ptr<Extras> extras_;  // what an idle connection does not need
  websocket::CloseCode code_ = websocket::CloseCode::abnormal;
  Role role_;
  State state_ = State::open;
  std::uint8_t deflate_place_ = 0;  // of our settings among the owner's
  bool is_plain_ : 1;               // what is sent is written as it comes
  bool busy_ : 1 = true;            // the delegate does not take messages now
  bool delivering_ : 1 = false;
  bool peer_ended_ : 1 = false;    // code_ and the reason are the peer's; its messages come first
  bool answer_close_ : 1 = false;  // ... and its close frame is answered then
  bool peer_left_ : 1 = false;     // it sends no more, but not all that it sent was read
  bool waiting_for_drain_ : 1 = false;  // reading is paused until our own output has gone
  bool drain_wanted_ : 1 = false;       // the delegate is to hear when all is out
  bool in_parts_ : 1 = false;           // a message that is sent in parts is not at its end
  bool has_deflate_ : 1 = false;
  bool parts_compressed_ : 1 = false;  // those of the message in parts
  bool streaming_ : 1 = false;
  bool in_pieces_ : 1 = false;  // pieces of a message were handed over, not the last
  bool ping_sent_ : 1 = false;
  bool heard_ : 1 = false;  // something came since the last ping
};

}  // namespace squall::transport
