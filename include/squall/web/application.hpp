// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/limits.hpp>
#include <squall/base/slow_consumer.hpp>
#include <squall/loop/unique_fd.hpp>
#include <squall/net/tls.hpp>
#include <squall/web/router.hpp>
#include <squall/web/secret.hpp>
#include <squall/web/session_options.hpp>
#include <squall/web/static_file_options.hpp>
#include <squall/web/url_argument.hpp>
#include <squall/websocket/compression_options.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace squall::locale {
class Translations;
}

namespace squall::web {

class RequestHandler;
class Store;

/// What browsers are told about coming back over HTTPS only (HSTS, RFC 6797).
struct HSTS {
  Duration max_age = {};  ///< for how long; zero says nothing
  bool include_subdomains = false;
  bool preload = false;  ///< consent to be on the browsers' built-in lists; hard to take back
};

/// Which header fields of trusted proxies tell where a request comes from. The proxy must set or
/// remove those that are chosen, else the client writes them.
enum class ProxyHeaders : std::uint8_t {
  x_forwarded,  ///< X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host
  forwarded,    ///< Forwarded (RFC 7239)
  x_real_ip,    ///< X-Real-IP, one address; X-Forwarded-Proto, X-Forwarded-Host
};

/// Whether the connections of a port begin with a header of HAProxy's PROXY protocol.
enum class ProxyProtocol : std::uint8_t {
  off,
  /// Version 1 or 2, of Settings::trusted_proxies; connections of others, and without it, are
  /// refused. It comes before TLS, and names whom remote_ip() gives.
  required,
};

/// The Content-Type of files whose names end in a dot and `extension`, in any case.
struct MimeType {
  std::string_view extension;
  std::string_view type;
};

/// How responses are compressed (Settings::compress_response). The client's weights choose the
/// coding; among equals zstd, br, gzip. Levels are the codings' own; the defaults suit content that
/// is made on the way.
struct Compression {
  std::size_t min_size = 1024;  ///< bytes; a body that is known to be smaller is sent as it is
  bool gzip = true;
  bool br = true;
  bool zstd = true;
  int gzip_level = 6;  ///< 1 to 9
  int br_level = 4;    ///< 0 to 7
  int zstd_level = 3;  ///< 1 to 9
};

/// What writes the log of requests: a function, or the address of an object that is called and
/// outlives the application, on the threads of all workers.
class LogFunction {
 public:
  LogFunction() noexcept = default;
  template <std::convertible_to<void (*)(const RequestHandler&)> F>
  LogFunction(F function) noexcept : function_(function) {}  // NOLINT: implicit by design
  template <class T>
  requires std::is_class_v<T> LogFunction(T* object)
  noexcept  // NOLINT: implicit by design
      : object_(object), call_([](void* callee, const RequestHandler& handler) {
          (*static_cast<T*>(callee))(handler);
        }) {}

  explicit operator bool() const noexcept { return function_ != nullptr || call_ != nullptr; }
  void operator()(const RequestHandler& handler) const {
    call_ != nullptr ? call_(object_, handler) : function_(handler);
  }

 private:
  void (*function_)(const RequestHandler&) = nullptr;
  void* object_ = nullptr;
  void (*call_)(void*, const RequestHandler&) = nullptr;
};

/// Settings of an Application, written by name: `web::Application app({...}, {.debug = true});`.
/// Views are copied by the constructor.
struct Settings {
  /// Error pages show what was thrown, the request and the settings, secrets apart. Not where
  /// strangers may look.
  bool debug = false;
  bool access_log = true;         ///< one line a request
  LogFunction log_function = {};  ///< replaces the access log's line

  /// Compresses responses of types that are worth it, for clients that take it. Leave it off, or
  /// call set_compression(false), where a body has a secret beside text that an attacker chooses:
  /// the size tells of the secret then (BREACH).
  bool compress_response = false;
  /// Decodes request bodies of the codings gzip, br, zstd and deflate (Content-Encoding) before a
  /// handler sees them; the limits of a body then hold for the decoded bytes too, and codings that
  /// are not known are 415. Without it, a coded body is the handler's to decode.
  bool decompress_request = false;
  Compression compression = {};

  /// Responses of 200 to GET get an Etag from RequestHandler::compute_etag(), and so are 304 when
  /// the client has them. It costs a hash of each body.
  bool auto_etag = false;

  /// What RequestHandler::locale() chooses from (<squall/locale.hpp>). The application takes a
  /// share in it; without one, in locale::default_translations() as they are when it is made.
  /// Afterwards settings().translations is never nullptr.
  const locale::Translations* translations = nullptr;

  /// What signed cookies are signed with: text that nobody can guess, of 32 bytes or more, the same
  /// in all processes of a site. Who has it can be any user; keep it out of the source.
  std::string_view cookie_secret = {};
  /// In its place, several keys with their versions, of which key_version signs and all are
  /// believed: `.cookie_secrets = {{1, old_key}, {2, new_key}}, .key_version = 2`. To be written
  /// inside the braces, as mime_types.
  std::initializer_list<CookieSecret> cookie_secrets = {};
  int key_version = -1;

  /// Where RequestHandler::session() keeps what it knows (<squall/web/store.hpp>); must outlive the
  /// application. Without one it is in a cookie that cookie_secret signs.
  Store* session_store = nullptr;
  SessionOptions session = {};

  /// Where users log in, a path or a URL; see `authenticated` at RequestHandler.
  std::string_view login_url = {};

  /// Requires the token of RequestHandler::xsrf_token() of requests that are not GET, HEAD or
  /// OPTIONS: in the cookie, and again in the request itself, where a page of another site cannot
  /// put it.
  bool xsrf_cookies = false;
  int xsrf_cookie_version = 2;                  ///< 1 writes tokens without a mask; both are read
  std::string_view xsrf_cookie_name = "_xsrf";  ///< such as "__Host-xsrf"
  /// Scripts that send the token as a header read the cookie: leave httponly off then.
  CookieOptions xsrf_cookie_options = {};
  /// Refuses requests that are not GET, HEAD or OPTIONS and that a browser sends for another origin
  /// (Sec-Fetch-Site, Origin), also for another host of the same site. It needs no token, alone or
  /// beside xsrf_cookies. Clients that send neither field are no browsers, or older than 2020.
  bool xsrf_check_origin = false;
  /// Other origins that may, as "https://example.com". To be written inside the braces.
  std::initializer_list<std::string_view> xsrf_allowed_origins = {};

  /// The host that routes of virtual hosts are looked up for when no other route matches: its
  /// routes answer whatever the client calls the host. "" for none.
  std::string_view default_host = {};

  /// A directory whose files are served below static_url_prefix, and /favicon.ico and /robots.txt
  /// of it unless there are routes for these; "" serves none. See RequestHandler::static_url().
  std::string_view static_path = {};
  std::string_view static_url_prefix = "/static/";
  StaticFileOptions static_options = {};
  /// Content types of static files by extension, before those that are known: `.mime_types =
  /// {{"wasm", "application/wasm"}}`. To be written inside the braces of the Settings.
  std::initializer_list<MimeType> mime_types = {};

  /// Origins besides the same host whose pages may open WebSockets, as "https://example.com"; "*"
  /// for any. To be written inside the braces of the Settings; assigned later, the list would be
  /// gone at once.
  std::initializer_list<std::string_view> websocket_allowed_origins = {};
  std::size_t websocket_max_message_size = limits::websocket_message_bytes;  ///< bytes, inflated
  /// Bytes that wait for one client that reads slowly, or of one client for its busy handler.
  std::size_t websocket_max_queue = limits::websocket_queue_bytes;
  /// What becomes of messages for a client that reads too slowly;
  /// WebSocketHandler::set_slow_consumer() changes it for one.
  SlowConsumer websocket_slow_consumer = SlowConsumer::disconnect;
  /// With SlowConsumer::disconnect: without the client taking a byte of what waits for it.
  Duration websocket_stall_timeout = Duration::from_seconds(5);
  /// From ping to ping, whatever the handler does; zero for none. Without, a connection that breaks
  /// silently is noticed only when something is written.
  Duration websocket_ping_interval = Duration::from_seconds(0);
  /// From a ping until something must have come of the client; then it is dropped. Zero, or more
  /// than the interval: the interval.
  Duration websocket_ping_timeout = Duration::from_seconds(0);
  /// Compresses WebSocket messages with clients that take it: `{.enabled = true}`. Leave it off
  /// where a message has a secret beside text that an attacker chooses.
  websocket::CompressionOptions websocket_compression = {};

  /// After this long without an event, a comment shows proxies and the client that a stream of
  /// events lives; zero for never.
  Duration event_source_heartbeat = Duration::from_seconds(15);
  SlowConsumer event_source_slow_consumer = SlowConsumer::disconnect;
  std::size_t event_source_max_queue = limits::event_queue_bytes;  ///< bytes, for one client
  /// How long a client of a stream of events may take nothing while something waits for it; with
  /// another policy than disconnect it is write_timeout.
  Duration event_source_write_timeout = Duration::from_seconds(5);
  /// On shutting down, clients of streams of events are told to come back after a random time of up
  /// to this, so that not all of them come at once; zero says nothing.
  Duration reconnect_spread = Duration::from_seconds(5);

  std::size_t max_header_size = limits::head_bytes;         ///< bytes
  std::size_t max_body_size = limits::buffered_body_bytes;  ///< bytes
  /// Bytes, for handlers that take a body in pieces; RequestHandler::set_max_body_size() changes
  /// it.
  std::uint64_t max_streamed_body_size = limits::body_bytes;
  std::size_t max_write_buffer = limits::write_buffer_bytes;  ///< bytes that wait for one client
  /// Sent with the responses of HTTPS only: `.hsts = {.max_age = 365 * 24h}`.
  HSTS hsts = {};

  /// Proxies that are believed: "10.0.0.0/8", "2001:db8::1", "unix" for unix sockets. Without them
  /// no header field says where a request comes from. To be written inside the braces, as
  /// websocket_allowed_origins. A UsageError when one is no network.
  std::initializer_list<std::string_view> trusted_proxies = {};
  ProxyHeaders proxy_headers = ProxyHeaders::x_forwarded;
  /// "http" or "https": what protocol() is where no trusted proxy says, whatever the connection
  /// has. For proxies that end TLS and do not tell.
  std::string_view protocol = {};

  /// Connections at a time, of all ports and workers; more wait in the kernel. Zero is
  /// limits::http_connections, or fewer where the process may not have as many descriptors.
  std::size_t max_connections = 0;
  /// The same for one client: an IPv4 address or the /64 of an IPv6 address. One more is answered
  /// 503. Trusted proxies may have any number. Zero is no limit: behind an address there may be a
  /// whole company.
  std::size_t max_connections_per_address = 0;

  Duration header_timeout = Duration::from_seconds(10);           ///< for a whole request head
  Duration body_timeout = Duration::from_seconds(30);             ///< between two pieces of a body
  Duration idle_connection_timeout = Duration::from_seconds(75);  ///< between two requests
  Duration write_timeout = Duration::from_seconds(60);            ///< without the client reading
  /// Bytes a second that a client sends of a body on average, after 5 s of grace; 0 for any.
  std::uint32_t min_body_rate = limits::min_rate;
  /// Bytes a second that a client takes of a response that waits for it, over write_timeout.
  std::uint32_t min_write_rate = limits::min_rate;
  /// Requests that one connection may send, the last is answered with `Connection: close`; 0 for
  /// any number.
  std::uint32_t max_requests_per_connection = 0;
  Duration shutdown_timeout = Duration::from_seconds(10);  ///< for requests to finish on SIGTERM
  /// SIGTERM and SIGINT shut the application down and stop the loop; a second one does so at once.
  bool handle_signals = true;
  /// SIGHUP calls reload_certificates().
  bool reload_on_hangup = false;
  /// SIGHUP calls restart(), which reads certificates anew as well; not both. In workers of
  /// fork_processes() it does nothing: SIGHUP is for their supervisor.
  bool restart_on_hangup = false;
  /// For the new process of restart() to become ready; past it this one goes on.
  Duration restart_timeout = Duration::from_seconds(60);
  /// The program calls notify_ready() when it serves; otherwise the first turn of the loop does.
  bool wait_for_notify_ready = false;
  /// A file for the number of the process that serves; "" for none. Written when the loop runs, and
  /// removed at the end, unless it is another process's by then.
  std::string_view pid_file = {};
};
static_assert(std::is_trivially_destructible_v<Settings>);

struct ListenOptions {
  /// A literal address or a host name of this machine; "" means all interfaces, IPv4 and IPv6.
  std::string_view address = {};
  /// Threads, each with a loop and a socket of its own (SO_REUSEPORT). With more than one, handlers
  /// of different connections run at the same time: what they share needs protection.
  std::size_t workers = 1;
  int backlog = limits::listen_backlog;
  bool reuse_port = false;  ///< let other processes listen on the port too

  /// HTTPS and wss, when it names a certificate: `.tls = {.certificate_file = "cert.pem", .key_file
  /// = "key.pem"}`.
  net::TLSServerOptions tls = {};
  /// The same with a context made before: for several certificates, or one for several ports.
  const net::TLSContext* tls_context = nullptr;
  ProxyProtocol proxy_protocol = ProxyProtocol::off;
  /// Serves nothing but redirects to HTTPS on that port of the same host; 443 is left out of URLs.
  std::uint16_t redirect_to_https = 0;
};
static_assert(std::is_trivially_destructible_v<ListenOptions>);

/// A web application: routes, settings, and the servers that serve them. It belongs to the thread
/// that makes it and must outlive the running of its loop.
class Application : public detail::RouteFunctions<Application> {
 public:
  Application();
  /// Throws UsageError for routes that are malformed or conflict.
  explicit Application(std::initializer_list<Route> routes, const Settings& settings = {});
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  /// Breaks what is still open and ends the worker threads.
  ~Application();

  /// Puts a middleware before everything, inside of those that are there: all routes, static
  /// files, and paths without a route. Before listen().
  void use(Middleware middleware);

  /// Adds a route; before listen().
  void add_route(const Route& route);

  /// Adds routes of a virtual host: a host name, `*.example.com`, or a regular expression. Hosts
  /// are compared in lower case and without port. All tables whose host matches are asked in the
  /// order in which they were added, then the application's own. Before listen().
  void add_handlers(std::string_view host, std::initializer_list<Route> routes);
  void add_handlers(const re& host, std::initializer_list<Route> routes);

  /// The path of a named route with these path arguments: `reverse_url("story", 7)` is "/story/7".
  /// Text is percent-encoded; of `{name...}` and of groups of a regular expression slashes stay. A
  /// UsageError for names that there are not and for arguments that do not fit.
  template <class... Args>
  [[nodiscard]] std::string reverse_url(std::string_view name, const Args&... args) const {
    const detail::URLArgument arguments[sizeof...(Args) + 1] = {args..., std::string_view()};
    return reverse_url_of(name, arguments, sizeof...(Args));
  }

  /// Answers what no route matches. Methods that it does not have, and what its prepare() leaves
  /// unanswered then, are 404 through its write_error(); without a default handler all is 404.
  void set_default_handler(HandlerSpec handler);

  /// Listens and serves from the next turn of this thread's loop on. Port 0 takes a free one.
  /// Returns the port. May be called several times. Throws std::system_error that names the
  /// address.
  std::uint16_t listen(std::uint16_t port, const ListenOptions& options = {});
  /// Listens on a unix socket; a path that begins with '@' is in the abstract namespace.
  void listen_unix(std::string_view path, unsigned mode = 0600, const ListenOptions& options = {});

  /// Serves a socket that listens already: one of net::bind_sockets() that several processes share,
  /// or one that the service manager handed over. Of the options, those of TLS count. A UsageError
  /// when it does not listen.
  void listen_socket(UniqueFd socket, const ListenOptions& options = {});

  /// Stops accepting, lets requests finish, closes WebSockets with 1001, and then stops the loop;
  /// after Settings::shutdown_timeout what is left is broken. Called by SIGTERM and SIGINT.
  void shutdown();

  /// Replaces this process without losing a request: starts the program's file anew, with the same
  /// arguments and with the listening sockets; when the new process is ready, this one does as in
  /// shutdown(). If it fails or takes longer than Settings::restart_timeout, that is in the log and
  /// this one goes on. Does nothing while one is under way. Called by SIGHUP when
  /// Settings::restart_on_hangup says so. A UsageError before listen() and in workers of
  /// fork_processes(). Linux; see docs/processes.md.
  void restart();

  /// Reads the certificates, keys and authorities of all ports again. New connections use them, the
  /// others go on. Throws std::system_error that names the file at fault; of its port nothing has
  /// changed then.
  void reload_certificates();

  /// RequestHandler::static_url() outside of a handler; on a loop of the application, after
  /// listen().
  [[nodiscard]] std::string make_static_url(std::string_view path, bool include_version = true);

  [[nodiscard]] const Settings& settings() const noexcept;

  /// For the library.
  struct Impl;
  [[nodiscard]] Impl& impl() noexcept { return *impl_; }

 private:
  friend detail::RouteFunctions<Application>;
  void add_function(http::Method method, std::string_view pattern, HandlerSpec target,
                    const RouteOptions& options);
  [[nodiscard]] std::string reverse_url_of(std::string_view name,
                                           const detail::URLArgument* arguments,
                                           std::size_t count) const;

  Impl* impl_;
};

}  // namespace squall::web
