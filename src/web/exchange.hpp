// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/range.hpp"
#include "server/exchange.hpp"
#include "web/body_intake.hpp"
#include "web/forwarding.hpp"
#include "web/output_source.hpp"
#include "web/response_coding.hpp"
#include "web/route_table.hpp"
#include "web/visitor.hpp"
#include "web/worker.hpp"

#include <squall/coro/detail/scheduler.hpp>
#include <squall/coro/detail/task_runner.hpp>
#include <squall/http/request_head.hpp>
#include <squall/web/http_file.hpp>
#include <squall/web/request.hpp>
#include <squall/web/request_handler.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {

inline constexpr std::string_view default_content_type = "text/html; charset=UTF-8";

/// One request and its response, and the handler between them. Recycled: in the steady state a
/// request allocates nothing.
///
/// A plain verb sees the request where it lies in the receive buffer; for a coroutine it is copied
/// first, so that views stay valid across its awaits.
class Exchange final : public server::MessageDelegate, public OutputSource {
 public:
  explicit Exchange(Worker& worker) noexcept : worker_(worker), request_(*this) {
    front_.exchange_ = this;
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  void start(server::ResponseWriter& writer);

  // server::MessageDelegate
  void headers_received(const http::RequestHead& head,
                        const http::RequestFraming& framing) override;
  void data_received(std::string_view bytes) override;
  void message_complete(http::Trailers* trailers) override;
  void preserve() override;
  void on_drained() override;
  void on_shutdown() override;
  void on_connection_close() override;

  /// Ends what still runs; the worker is going.
  void abandon() noexcept;

  // The request.
  [[nodiscard]] const HTTPServerRequest& request() const noexcept { return request_; }
  [[nodiscard]] const http::RequestHead& head() const noexcept { return *head_; }
  [[nodiscard]] std::string_view body() const noexcept {
    return body_in_place_.data() != nullptr ? body_in_place_ : std::string_view(body_in_);
  }
  /// Of a body that its handler takes in pieces, else nullptr.
  [[nodiscard]] BodyStream* body_stream() noexcept { return intake_ ? intake_->stream() : nullptr; }
  [[nodiscard]] bool body_has_begun() const noexcept { return intake_ && intake_->has_begun(); }
  /// The body that is whole, once.
  [[nodiscard]] std::string_view take_body() noexcept {
    if (body_taken_) return {};
    body_taken_ = true;
    return body();
  }
  [[nodiscard]] std::string_view trailer(std::string_view name) const noexcept;
  /// Of a body that its handler takes in pieces and that has not begun; else a UsageError.
  [[nodiscard]] const server::BodyLimits& body_limits() const;
  void set_body_limits(const server::BodyLimits& limits);
  void set_write_timeout(Duration timeout);
  // For the intake.
  void enter() noexcept { ++entered_; }
  /// May end this.
  void leave() {
    --entered_;
    recycle_if_over();
  }
  void gather(std::string_view decoded) { body_in_ += decoded; }
  void body_is_whole();
  void refuse_body(int status, std::string_view why);
  [[nodiscard]] net::SocketAddress peer() const noexcept { return peer_; }
  [[nodiscard]] bool is_secure() const noexcept { return secure_; }
  // The same as trusted proxies tell them: of the client itself.
  [[nodiscard]] net::SocketAddress client() const noexcept;
  [[nodiscard]] bool client_is_secure() const noexcept;
  [[nodiscard]] std::string_view host() const noexcept;
  /// What TLS agreed on, nullptr without it. Asked for after the end of the response or of the
  /// connection, it knows nothing but what it was asked for before.
  [[nodiscard]] const net::TLSInfo* tls();
  [[nodiscard]] std::uint64_t elapsed_ns() const noexcept;
  [[nodiscard]] const RouteTarget* target() const noexcept { return match_.target; }
  /// What the request's route shares with others; from select_handler() on.
  [[nodiscard]] const RouteScope& scope() const noexcept { return *scope_; }
  [[nodiscard]] PathArguments path_arguments() const noexcept {
    return {arguments_, match_.argument_count};
  }
  /// As it stands in the path, with its escapes.
  [[nodiscard]] std::string_view raw_path_argument(std::size_t index) const noexcept {
    return match_.arguments[index];
  }
  using Arguments = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] const Arguments& query_arguments();
  [[nodiscard]] const Arguments& body_arguments();
  [[nodiscard]] std::vector<HTTPFile>& files();
  [[nodiscard]] std::vector<HTTPFile*> files(std::string_view name);
  [[nodiscard]] Worker& worker() noexcept { return worker_; }
  [[nodiscard]] StopToken stop_token();
  /// nullptr until it is chosen.
  [[nodiscard]] const squall::locale::Locale* locale() const noexcept { return locale_; }
  void set_locale(const squall::locale::Locale& chosen) noexcept { locale_ = &chosen; }

  [[nodiscard]] static Exchange& of(const RequestHandler& handler) { return handler.exchange(); }
  [[nodiscard]] const std::string& request_id() const noexcept { return request_id_; }
  void set_request_id(std::string_view id) { request_id_ = id; }
  /// Whether a trusted proxy has sent it.
  [[nodiscard]] bool is_from_proxy() const noexcept { return forwarding() != nullptr; }

  // The response.
  void clear();
  void set_status(int status, std::string_view reason);
  [[nodiscard]] int status() const noexcept { return static_cast<int>(status_); }
  void set_header(std::string_view name, std::string_view value);
  void add_header(std::string_view name, std::string_view value);
  void clear_header(std::string_view name);
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
  /// Adds `name` to Vary, unless it is there.
  void vary_on(std::string_view name);
  void set_cookie(std::string key, std::string line);
  /// Where the body is collected; a UsageError after finish().
  [[nodiscard]] std::string& body_out();
  void flush();
  void add_trailer(std::string_view name, std::string_view value);
  void send_informational(unsigned status, std::span<const server::ResponseField> fields);
  void finish();
  /// For this response, whatever the settings say.
  void set_compression(bool wanted);
  /// Ends the response with a file, of which `bytes` are the whole. It is never read into memory.
  void finish_with_file(const loop::SharedFile& file, std::uint64_t bytes);
  /// To run after the response.
  void add_background_task(Task<> task);
  /// Ends the verb, but not the request: `rest` goes on when the verb has returned, and finishes.
  void answer_later(Task<> rest) noexcept { rest_ = std::move(rest); }

  // Users; users.cpp.
  [[nodiscard]] Visitor& visitor();
  void forget_visitor() noexcept;
  /// What the handler does before its verb.
  [[nodiscard]] Task<> prepare();
  /// Whether the handler answers this client; else the answer has been given, or is thrown.
  [[nodiscard]] bool lets_in();
  /// To the login page, or HTTPError 403.
  void turn_away();
  void write_down(std::exception_ptr error);

  // Conditional requests; conditional.cpp.
  /// Evaluates the request's conditions against the Etag and Last-Modified set so far. What does
  /// not proceed is answered, with 304 or 412, and false.
  bool check_preconditions(bool exists);
  void send_error(int status, std::exception_ptr error, std::string_view reason = {});
  [[nodiscard]] bool is_finished() const noexcept { return finished_; }
  [[nodiscard]] bool head_is_written() const noexcept { return head_written_; }
  [[nodiscard]] bool is_closed() const noexcept { return closed_; }
  [[nodiscard]] std::size_t pending_bytes() const noexcept override {
    if (writer_ == nullptr) return 0;
    return writer_->pending_bytes() + (coder_ ? coder_->pending_bytes() : 0);
  }

  /// Shows the head of an upgrade to the middleware, before it leaves.
  void show_upgrade();
  net::Stream switch_protocols(std::string_view protocol);

  // For WebSockets.
  [[nodiscard]] RequestHandler& handler() noexcept { return *handler_; }
  /// Whose hooks count when `asking` wants to know something: a middleware's request is not the
  /// handler. Once that is finished, who asks is all there is.
  [[nodiscard]] RequestHandler& whose_hooks(RequestHandler& asking) noexcept {
    return finished_ ? asking : *handler_;
  }
  void request_stop() noexcept {
    if (stop_) stop_->request_stop();
  }
  /// Answers a handshake that fails, in plain text.
  void refuse_websocket(int status, std::string_view why);
  [[nodiscard]] std::span<const server::ResponseField> response_fields();
  transport::WebSocketConnection& upgrade(transport::WebSocketDelegate& delegate);
  /// Sends the head of a response that `delegate` goes on with, and gives its writer. With an
  /// encoder the body is to be coded.
  server::ResponseWriter& begin_stream(server::MessageDelegate& delegate,
                                       http::ContentEncoder& encoder);
  /// The handler belongs to a session from now on; the exchange stays until release_request().
  RequestHandler* release_handler() noexcept;
  void release_request() noexcept;

 private:
  friend class Worker;
  friend class Next;
  struct Header {
    std::uint32_t name_at;
    std::uint32_t name_size;
    std::uint32_t value_at;
    std::uint32_t value_size;
  };
  enum class CodingWish : std::uint8_t { by_settings, yes, no };
  enum class Answer : std::uint8_t { verb, not_found, method_not_allowed, options };

  void request_drain_notice() noexcept override;
  void adopt(RequestHandler* handler) noexcept;
  bool select_handler();
  void receive_body(const http::RequestFraming& framing);
  [[nodiscard]] bool decodes_body() const;
  void run();
  void run_coroutine(Task<> prepared, const detail::VerbEntry* verb);
  static Task<> feed(Exchange* self);
  static Task<> drive(Exchange* self, Task<> prepared, const detail::VerbEntry* verb);
  static void driven(void* context, std::exception_ptr error);
  // The middleware; exchange_chain.cpp.
  bool pass_chain();
  static Task<> drive_chain(Exchange* self, Task<> waiting);
  static Task<> follow(Exchange* self);
  Task<> go_on(std::size_t position);
  void show_head();
  static void answer_options(RequestHandler& handler, const PathArguments& arguments);
  [[nodiscard]] const detail::VerbEntry& refusal(Answer answer) const noexcept;
  Answer choose();
  void take(const Endpoint& endpoint) noexcept;
  [[nodiscard]] const RouteScope* scope_of_refusal(const RouteTarget& target) const;
  void route();
  void decode_arguments();
  [[nodiscard]] std::string allowed_methods() const;
  void answer_verb(const detail::VerbEntry* verb);
  void failed(std::exception_ptr error);
  void log_failure(std::exception_ptr error) noexcept;
  void check_forgery();  // xsrf.cpp
  void check_request_origin() const;
  void finished();
  void leave_background_tasks();  // background_tasks.cpp
  void write_head(bool last);
  void send_body(std::string& bytes);
  [[nodiscard]] std::optional<std::uint64_t> announced_length() const;
  void finish_body();
  /// What of a whole body is sent once conditions and ranges are applied.
  enum class Selected : std::uint8_t { whole, nothing, ranges, answered };
  Selected select(std::uint64_t size, http::RangeSet& ranges);
  bool select_body();
  // In development; reload_page.cpp.
  [[nodiscard]] const HandlerSpec* reload_handler() const noexcept {
    const auto& development = worker_.application().autoreload;
    return development ? development->pages().find(*head_) : nullptr;
  }
  [[nodiscard]] bool takes_reload_script() const;
  void add_reload_script();
  void become_not_modified();
  void become_unsatisfiable(std::uint64_t size);
  [[nodiscard]] bool may_be_coded() const noexcept {
    return worker_.application().settings.compress_response ||
           coding_wish_ != CodingWish::by_settings;
  }
  void prepare_coding(bool last);
  [[nodiscard]] http::ContentCoding choose_coding(std::optional<std::uint64_t> size);
  void weaken_etag_unsent(std::optional<std::uint64_t> size);
  void weaken_etag();
  void code_body(bool last);
  void code_slice();
  void finish_coded();
  void go_on_coding() noexcept;
  void forbid_after_finish() const;
  void forbid_after_head() const;
  void put_header(std::string_view name, std::string_view value);
  void drop_header(std::string_view name) noexcept;
  static void check_header(std::string_view name, std::string_view value);
  [[nodiscard]] std::string_view text(std::uint32_t at, std::uint32_t size) const noexcept {
    return std::string_view(header_text_).substr(at, size);
  }
  /// Read when it is asked for; nullptr when no trusted proxy has sent the request.
  [[nodiscard]] const Forwarding* forwarding() const noexcept;
  void recycle_if_over();
  void reset() noexcept;

  Worker& worker_;
  HTTPServerRequest request_;
  Exchange* next_ = nullptr;  // in the worker's list of active ones
  Exchange* previous_ = nullptr;
  server::ResponseWriter* writer_ = nullptr;  // nullptr once the response or the connection is over
  const http::RequestHead* head_ = nullptr;
  RequestHandler* handler_ = nullptr;
  const HandlerSpec* spec_ = nullptr;               // where the handler comes from
  const RouteScope* scope_ = nullptr;               // of its route
  const std::vector<Middleware>* chain_ = nullptr;  // before the handler; nullptr for none
  RequestHandler front_;                            // what that sees in place of the handler
  const detail::VerbEntry* verb_ = nullptr;         // what of it is called
  net::SocketAddress peer_;
  std::uint64_t started_ns_ = 0;

  std::string_view body_in_place_;  // the whole body where it lies in the receive buffer
  std::string body_in_;
  std::string head_bytes_;
  std::string normalised_path_;
  std::string decoded_arguments_;
  std::string request_id_;
  RouteTable::Match match_;
  std::string_view arguments_[RouteTable::max_arguments];
  std::optional<Arguments> query_arguments_;
  std::optional<Arguments> body_arguments_;
  std::vector<HTTPFile> files_;  // with body_arguments_
  std::unique_ptr<net::TLSInfo> tls_info_;
  std::unique_ptr<Visitor> visitor_;    // once somebody has asked for it
  std::unique_ptr<BodyIntake> intake_;  // of a body that is not just gathered
  server::BodyLimits body_limits_;      // of a body that is streamed
  http::Trailers trailers_;             // the request's
  mutable std::optional<Forwarding> forwarding_;
  const squall::locale::Locale* locale_ = nullptr;

  std::vector<Header> headers_;
  std::string header_text_;
  std::vector<server::ResponseField> fields_;  // built from headers_ when they are sent
  std::vector<std::pair<std::string, std::string>> cookies_;
  std::vector<std::pair<std::string, std::string>> trailers_out_;
  std::string reason_;
  std::string body_out_;
  std::unique_ptr<ResponseCoder> coder_;  // of a response that is coded as it goes

  squall::detail::TaskRunner runner_;
  Task<> rest_;                     // of answer_later()
  std::vector<Task<>> background_;  // for after the response
  std::optional<StopSource> stop_;
  unsigned status_ = 200;
  std::uint16_t position_ = 0;  // middleware that has been entered
  std::uint16_t taken_ = 0;     // where next() was called last
  unsigned entered_ = 0;        // calls of this that are on the stack
  bool preserved_ : 1 = false;
  bool head_written_ : 1 = false;
  bool finished_ : 1 = false;
  bool closed_ : 1 = false;  // the client left before the response was finished
  bool send_server_ : 1 = true;
  bool send_date_ : 1 = true;
  bool held_ : 1 = false;  // a session keeps the request
  bool secure_ : 1 = false;
  bool selected_ : 1 = false;       // the handler is there, or the request is answered
  bool body_taken_ : 1 = false;     // by take_body()
  bool has_validator_ : 1 = false;  // an Etag or a Last-Modified has been set
  bool running_ : 1 = false;
  bool chain_begun_ : 1 = false;
  bool in_chain_ : 1 = false;  // a coroutine of the chain finishes the response
  bool in_after_ : 1 = false;  // the middleware is looking at the head
  bool after_threw_ : 1 = false;
  bool refuses_ : 1 = false;     // the chain is there for a request that has no handler
  bool makes_etag_ : 1 = false;  // compute_etag() is asked for one
  CodingWish coding_wish_ : 2 = CodingWish::by_settings;

  http::RequestHead own_head_;
};

}  // namespace squall::web
