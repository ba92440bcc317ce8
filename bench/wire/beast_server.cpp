// SPDX-License-Identifier: Apache-2.0
//
// The peer: a server as a Boost.Beast user writes it from the library's own examples. One thread,
// callbacks, tcp_stream with its timeouts, the suggested WebSocket options.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using beast::error_code;

constexpr auto idle_timeout = std::chrono::seconds(60);
constexpr std::uint64_t body_limit_bytes = 1 << 20;

/// The Date header, formatted once a second.
const std::string& http_date() {
  static std::string text;
  static std::time_t formatted = 0;
  const std::time_t now = std::time(nullptr);
  if (now != formatted) {
    char buffer[64];
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    text.assign(buffer, std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts));
    formatted = now;
  }
  return text;
}

class RoomSession;

struct Shared {
  std::string static_dir;
  std::unordered_set<RoomSession*> room;
};

void configure(websocket::stream<beast::tcp_stream>& stream) {
  stream.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
  stream.auto_fragment(false);
  stream.read_message_max(1 << 20);
}

/// Sends every message back.
class EchoSession : public std::enable_shared_from_this<EchoSession> {
 public:
  EchoSession(beast::tcp_stream stream, bool deflate) : stream_(std::move(stream)) {
    configure(stream_);
    websocket::permessage_deflate option;
    option.server_enable = deflate;
    stream_.set_option(option);
  }

  void run(const http::request<http::string_body>& request) {
    stream_.async_accept(request, [self = shared_from_this()](error_code error) {
      if (!error) self->read();
    });
  }

 private:
  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->write();
    });
  }

  void write() {
    stream_.text(stream_.got_text());
    stream_.async_write(buffer_.data(), [self = shared_from_this()](error_code error, std::size_t) {
      self->buffer_.consume(self->buffer_.size());
      if (!error) self->read();
    });
  }

  websocket::stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
};

/// Sends every message to every member, itself included; Beast's chat example.
class RoomSession : public std::enable_shared_from_this<RoomSession> {
 public:
  RoomSession(beast::tcp_stream stream, Shared& shared)
      : stream_(std::move(stream)), shared_(shared) {
    configure(stream_);
  }
  ~RoomSession() { shared_.room.erase(this); }
  RoomSession(const RoomSession&) = delete;
  RoomSession& operator=(const RoomSession&) = delete;

  void run(const http::request<http::string_body>& request) {
    stream_.async_accept(request, [self = shared_from_this()](error_code error) {
      if (error) return;
      self->shared_.room.insert(self.get());
      self->read();
    });
  }

  void send(const std::shared_ptr<const std::string>& message) {
    queue_.push_back(message);
    if (queue_.size() == 1) write();
  }

 private:
  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return;
      const auto message =
          std::make_shared<const std::string>(beast::buffers_to_string(self->buffer_.data()));
      self->buffer_.consume(self->buffer_.size());
      for (RoomSession* member : self->shared_.room) member->send(message);
      self->read();
    });
  }

  void write() {
    stream_.text(true);
    stream_.async_write(asio::buffer(*queue_.front()),
                        [self = shared_from_this()](error_code error, std::size_t) {
                          if (error) return;
                          self->queue_.pop_front();
                          if (!self->queue_.empty()) self->write();
                        });
  }

  websocket::stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  std::deque<std::shared_ptr<const std::string>> queue_;
  Shared& shared_;
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {}

  void run() { read(); }

 private:
  using Request = http::request<http::string_body>;

  void read() {
    parser_.emplace();
    parser_->body_limit(body_limit_bytes);
    stream_.expires_after(idle_timeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, std::size_t) {
                       if (!error) self->handle();
                     });
  }

  void handle() {
    const Request& request = parser_->get();
    const std::string_view target(request.target().data(), request.target().size());
    if (websocket::is_upgrade(request)) return upgrade(target);
    if (target == "/plaintext") return send_text(http::status::ok, "text/plain", "Hello, World!");
    if (target == "/json") {
      return send_text(http::status::ok, "application/json", R"({"message":"Hello, World!"})");
    }
    if (target == "/echo") {
      return send_text(http::status::ok, "application/octet-stream",
                       std::move(parser_->get().body()));
    }
    constexpr std::string_view prefix = "/static/";
    if (target.starts_with(prefix)) return send_file(target.substr(prefix.size()));
    send_text(http::status::not_found, "text/plain", "not found");
  }

  void upgrade(std::string_view target) {
    stream_.expires_never();
    const Request request = parser_->release();
    if (target == "/ws/room") {
      const auto session = std::make_shared<RoomSession>(std::move(stream_), shared_);
      return session->run(request);
    }
    std::make_shared<EchoSession>(std::move(stream_), target == "/ws/deflate")->run(request);
  }

  template <class Response>
  void set_common(Response& response, std::string_view type) {
    response.version(11);
    response.keep_alive(parser_->get().keep_alive());
    response.set(http::field::server, "beast");
    response.set(http::field::date, http_date());
    response.set(http::field::content_type, type);
  }

  void send_text(http::status status, std::string_view type, std::string body) {
    auto& response = text_.emplace();
    response.result(status);
    set_common(response, type);
    response.body() = std::move(body);
    response.prepare_payload();
    write(response);
  }

  void send_file(std::string_view name) {
    if (name.find('/') != std::string_view::npos || name.find("..") != std::string_view::npos) {
      return send_text(http::status::not_found, "text/plain", "not found");
    }
    auto& response = file_.emplace();
    error_code error;
    const std::string path = shared_.static_dir + '/' + std::string(name);
    response.body().open(path.c_str(), beast::file_mode::scan, error);
    if (error) return send_text(http::status::not_found, "text/plain", "not found");
    set_common(response, "application/octet-stream");
    response.content_length(response.body().size());
    write(response);
  }

  template <class Response>
  void write(Response& response) {
    const bool keep_alive = response.keep_alive();
    http::async_write(stream_, response,
                      [self = shared_from_this(), keep_alive](error_code error, std::size_t) {
                        self->file_.reset();
                        if (error) return;
                        if (keep_alive) return self->read();
                        self->stream_.socket().shutdown(tcp::socket::shutdown_send, error);
                      });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> text_;
  std::optional<http::response<http::file_body>> file_;
  Shared& shared_;
};

class Listener {
 public:
  Listener(asio::io_context& context, std::uint16_t port, Shared& shared)
      : acceptor_(context, {asio::ip::address_v4::loopback(), port}), shared_(shared) {
    acceptor_.listen(4096);
    accept();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (!error) {
        socket.set_option(tcp::no_delay(true), error);
        std::make_shared<HttpSession>(std::move(socket), shared_)->run();
      }
      accept();
    });
  }

  tcp::acceptor acceptor_;
  Shared& shared_;
};

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  Shared shared;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--port") port = static_cast<std::uint16_t>(std::atoi(argv[i + 1]));
    if (name == "--static") shared.static_dir = argv[i + 1];
  }
  if (port == 0) {
    std::fputs("usage: bench_beast --port N --static DIR\n", stderr);
    return 2;
  }
  asio::io_context context(1);
  Listener listener(context, port, shared);
  context.run();
}
