// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/duration.hpp>
#include <squall/base/json_fwd.hpp>
#include <squall/base/optional_string.hpp>
#include <squall/base/pool.hpp>
#include <squall/coro/stop_token.hpp>
#include <squall/coro/task.hpp>
#include <squall/web/cookie_options.hpp>
#include <squall/web/http_error.hpp>
#include <squall/web/output_awaiter.hpp>
#include <squall/web/request.hpp>
#include <squall/web/url_argument.hpp>

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace squall::locale {
class Locale;
}
namespace squall::net {
class Stream;
}

namespace squall::web {

class Application;
class EventStream;
class Exchange;
class Session;
class WebSocketSession;
struct Settings;

/// Whether white space around an argument goes. Never made by `{}`, which is a default value of "".
class Strip {
 public:
  static const Strip yes;
  static const Strip no;
  constexpr explicit operator bool() const noexcept { return strips_; }

 private:
  constexpr explicit Strip(bool strips) noexcept : strips_(strips) {}
  bool strips_;
};
inline constexpr Strip Strip::yes{true};
inline constexpr Strip Strip::no{false};

struct StaticURLOptions {
  bool include_host = false;    ///< with scheme and host, as mails need it
  bool include_version = true;  ///< with `?v=` and a hash of the content
};
static_assert(std::is_trivially_destructible_v<StaticURLOptions>);

/// Base of the classes that answer requests: one object a request, made from its route.
///
/// Derive from it and define the verbs you answer, each a plain function or a coroutine, with the
/// route's path arguments as parameters:
///
///     struct Story : web::RequestHandler {
///       Task<> get(int id) { ... }
///       void post(int id) { ... }
///     };
///
/// Verbs are get, head, post, put, patch, delete_, options, trace. HEAD is answered by get()
/// without the body, OPTIONS with the verbs there are, unless the class defines them. The order for
/// one request: check_xsrf_cookie() if Settings::xsrf_cookies is on, load_current_user() if it is
/// overridden, prepare(), the verb, finish() if the verb did not, on_finish(). Everything happens
/// on one loop's thread. The members may not be used in the constructor.
///
/// A class with `static constexpr bool authenticated = true;` answers users only: without a
/// current_user(), which prepare() may set, its verbs, its open() and its stream of a body do not
/// run. GET and HEAD are sent to get_login_url() then, with the page to come back to as `next`;
/// other methods, WebSockets and streams of events get 403. For one verb there is require_user().
class RequestHandler : public squall::detail::Pooled {
 public:
  RequestHandler() noexcept = default;
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;
  virtual ~RequestHandler();

  // Hooks, called by the framework.

  /// Runs before the verb; finishing the response here (redirect(), finish(), an exception) skips
  /// it. May be a coroutine; a plain one returns `{}`.
  virtual Task<> prepare();
  /// For what finds the user only by waiting: calls set_current_user() if there is one. Awaited
  /// before prepare() where it is overridden.
  virtual Task<> load_current_user();
  /// Who sends the request, nothing for anybody. Called once, when current_user() is asked for and
  /// not set; the default knows nobody.
  ///
  ///     OptionalString get_current_user() override { return get_signed_cookie("user"); }
  [[nodiscard]] virtual OptionalString get_current_user();
  /// Where users log in; the default is Settings::login_url, a UsageError without.
  [[nodiscard]] virtual std::string get_login_url();
  /// Throws HTTPError 403 for a request that may be forged. Called with Settings::xsrf_cookies for
  /// all methods but GET, HEAD and OPTIONS, before prepare(); the body is there by then unless the
  /// handler streams it. The default compares the token of the cookie with that of the argument
  /// `_xsrf`, or else of the header X-XSRFToken or X-CSRFToken. Override it with nothing for
  /// requests that carry no cookies, such as calls of an API with a key.
  virtual void check_xsrf_cookie();
  /// Writes down what a handler threw. The default: HTTPError with its log message as a warning, if
  /// it has one, others as errors.
  virtual void log_exception(std::exception_ptr error);
  /// Runs after the response has been handed to the connection; cannot change it.
  virtual void on_finish();
  /// Takes a piece of the body of a request that is streamed; the next one waits until the task is
  /// done. The bytes are gone then. A plain one returns `{}`. To be defined as public.
  virtual Task<> data_received(std::string_view piece);
  /// The client left before the response was finished. The handler's awaits end with CancelledError
  /// after this, unless cancel_on_disconnect() says no.
  virtual void on_connection_close();
  /// The application shuts down or is replaced while this request is under way: who waits for
  /// something to happen (a long poll) should finish now. The default does nothing; the request has
  /// Settings::shutdown_timeout to end.
  virtual void on_shutdown();
  /// Whether a handler whose client has left is cancelled; true by default.
  [[nodiscard]] virtual bool cancel_on_disconnect() const noexcept;
  /// Sets headers that error pages keep; called before prepare() and by clear().
  virtual void set_default_headers();
  /// An entity tag for the body written so far, with its quotes; "" for none. Called for whole
  /// responses of 200 to GET and HEAD that have no Etag yet, when it is overridden or
  /// Settings::auto_etag is on. The default hashes the body.
  [[nodiscard]] virtual std::string compute_etag();
  /// Writes the page of an error, with write() and set_header(). `error` is what the handler threw,
  /// if it did. The default is a line of HTML; with Settings::debug it shows what was thrown, the
  /// request and the settings, as text to clients that do not ask for HTML.
  virtual void write_error(int status, std::exception_ptr error);

  // The request.

  [[nodiscard]] const HTTPServerRequest& request() const;

  // Limits of this request in place of the Settings', from prepare() of a handler that streams its
  // body; a UsageError when the body is there already.

  /// Bytes of the body, decoded; past it the answer is 413.
  void set_max_body_size(std::uint64_t bytes);
  /// Between two pieces of the body; past it the answer is 408.
  void set_body_timeout(Duration timeout);
  /// Bytes a second that the client sends on average, after 5 s of grace; 0 for any.
  void set_min_body_rate(std::uint32_t bytes_a_second);
  /// How long the client may take none of the response before the connection is broken. At any
  /// time.
  void set_write_timeout(Duration timeout);

  /// The last value of a query or form (urlencoded or multipart) argument, decoded, control
  /// characters replaced by spaces and trimmed (Tornado's rules), or not trimmed with Strip::no, as
  /// passwords want it. Throws MissingArgumentError (400)
  /// without a default, HTTPError 400 when it is not UTF-8. A body argument goes before a query
  /// argument.
  [[nodiscard]] std::string get_argument(std::string_view name, Strip strip = Strip::yes);
  [[nodiscard]] std::string get_argument(std::string_view name, std::string_view default_value,
                                         Strip strip = Strip::yes);
  [[nodiscard]] std::vector<std::string> get_arguments(std::string_view name,
                                                       Strip strip = Strip::yes);
  [[nodiscard]] std::string get_query_argument(std::string_view name, Strip strip = Strip::yes);
  [[nodiscard]] std::string get_query_argument(std::string_view name,
                                               std::string_view default_value,
                                               Strip strip = Strip::yes);
  [[nodiscard]] std::vector<std::string> get_query_arguments(std::string_view name,
                                                             Strip strip = Strip::yes);
  [[nodiscard]] std::string get_body_argument(std::string_view name, Strip strip = Strip::yes);
  [[nodiscard]] std::string get_body_argument(std::string_view name, std::string_view default_value,
                                              Strip strip = Strip::yes);
  [[nodiscard]] std::vector<std::string> get_body_arguments(std::string_view name,
                                                            Strip strip = Strip::yes);
  /// The files that a multipart form has in the field `name`; request().files() has them all. As
  /// with arguments, HTTPError 400 or 413 when the form is not to be had.
  [[nodiscard]] std::vector<HTTPFile*> files(std::string_view name) const;
  /// A path argument of the route by its name, percent-decoded; UsageError when it has none such.
  [[nodiscard]] std::string_view path_argument(std::string_view name) const;
  /// The request's body as JSON. Throws HTTPError 400 when it is none, 415 when its Content-Type
  /// says that it is something else. Needs <squall/json.hpp>.
  [[nodiscard]] json::value json_body() const;

  /// What web::request_ids() (<squall/web/request_id.hpp>) calls this request, "" without it.
  [[nodiscard]] std::string_view request_id() const;

  /// A cookie of the request, `default_value` when there is none.
  [[nodiscard]] std::string get_cookie(std::string_view name,
                                       std::string_view default_value = {}) const;

  // Users. See get_current_user() and load_current_user().

  /// Who sends the request, by whatever names a user. Valid as long as the request.
  [[nodiscard]] const OptionalString& current_user();
  /// Nothing logs the user out for this request.
  void set_current_user(OptionalString user);
  /// With what else is known of the user, for current_user_as().
  template <class T>
  T& set_current_user(OptionalString user, T known) {
    T* const kept = new T(std::move(known));
    keep_user(std::move(user), kept, typeid(T),
              [](void* object) noexcept { delete static_cast<T*>(object); });
    return *kept;
  }
  /// What set_current_user() was given, nullptr when it was none of this type.
  template <class T>
  [[nodiscard]] T* current_user_as() {
    return static_cast<T*>(user_object(typeid(T)));
  }
  /// The user; without one it ends the request by an exception, as `authenticated` does.
  const std::string& require_user();
  /// The argument `next` of a login page, where it leads to this host; else `otherwise`. Redirect
  /// to nothing else that a request says: a forged link would send users elsewhere.
  [[nodiscard]] std::string get_next_url(std::string_view otherwise = "/");

  /// What the site keeps for this client between requests, read at the first call; see Session.
  /// Needs <squall/web/session.hpp>, and Settings::session_store or cookie_secret.
  [[nodiscard]] Task<Session> session();

  // Requests that are forged by other sites; see Settings::xsrf_cookies.

  /// The token for this client's requests, masked differently each time, so that its secret cannot
  /// be guessed from the size of compressed pages. Sends the cookie if the client has none: before
  /// the first flush().
  [[nodiscard]] std::string xsrf_token();
  /// `<input type="hidden" name="_xsrf" value="..."/>`, to be put into forms.
  [[nodiscard]] std::string xsrf_form_html();

  // The response. Nothing leaves before flush() or finish(); a UsageError after finish().

  /// `reason` replaces the usual phrase; characters that cannot stand there make it "Unknown".
  void set_status(int status, std::string_view reason = {});
  [[nodiscard]] int get_status() const;
  /// Replaces a header. Throws UsageError for names and values that cannot be sent (line breaks,
  /// control characters).
  void set_header(std::string_view name, std::string_view value);
  void set_header(std::string_view name, std::int64_t value);
  /// Adds a line, beside those of the same name.
  void add_header(std::string_view name, std::string_view value);
  /// Removes all lines of that name; also Server and Date, which are sent otherwise.
  void clear_header(std::string_view name);
  /// The first header of that name set so far, or "".
  [[nodiscard]] std::string_view get_header(std::string_view name) const;

  /// Queues a Set-Cookie; a later one of the same name, domain and path replaces it. UsageError
  /// when name, value or an attribute cannot be sent, or a name that begins with `__Secure-` or
  /// `__Host-` promises what the attributes do not keep.
  void set_cookie(std::string_view name, std::string_view value, const CookieOptions& options = {});
  /// Expires a cookie; domain and path must be those it was set with.
  void clear_cookie(std::string_view name, const CookieOptions& options = {});
  /// Expires each cookie that the request has.
  void clear_all_cookies(const CookieOptions& options = {});

  // Signed cookies: the client can read them, but neither change nor make one. A UsageError without
  // Settings::cookie_secret or cookie_secrets.

  void set_signed_cookie(std::string_view name, std::string_view value,
                         const SignedCookieOptions& options = {});
  /// The value of a signed cookie; nothing when there is none, it is not signed for this name, or
  /// older than `max_age_days`. A `min_version` of 2 refuses the format of Tornado before 3.2.
  [[nodiscard]] OptionalString get_signed_cookie(std::string_view name, double max_age_days = 31,
                                                 int min_version = 1) const;
  /// Which of Settings::cookie_secrets the cookie says it is signed with, -1 if it says nothing;
  /// not verified.
  [[nodiscard]] int get_signed_cookie_key_version(std::string_view name) const;
  /// A signed value for other uses than cookies; decode_signed_value() reads it.
  [[nodiscard]] std::string create_signed_value(std::string_view name, std::string_view value,
                                                int version = 2) const;
  // Their older names.
  void set_secure_cookie(std::string_view name, std::string_view value,
                         const SignedCookieOptions& options = {}) {
    set_signed_cookie(name, value, options);
  }
  [[nodiscard]] OptionalString get_secure_cookie(std::string_view name, double max_age_days = 31,
                                                 int min_version = 1) const {
    return get_signed_cookie(name, max_age_days, min_version);
  }
  [[nodiscard]] int get_secure_cookie_key_version(std::string_view name) const {
    return get_signed_cookie_key_version(name);
  }

  /// Appends to the body.
  void write(std::string_view chunk);
  /// Appends a JSON document and sets Content-Type to application/json.
  template <JSONDocument T>
  void write(const T& document) {
    write_json(document);
  }

  /// Sends what was written so far; the first time with the headers. `co_await flush();` waits
  /// until it has left, which keeps memory bounded however slow the client is, and throws
  /// StreamClosedError when the client has gone.
  OutputAwaiter flush();

  /// Adds a field that goes out after the body, when that is chunked: of unknown length, to a
  /// client of HTTP/1.1. Clients that do not look at trailers lose it. UsageError for names that
  /// may not stand there (RFC 9110 §6.5.1).
  void add_trailer(std::string_view name, std::string_view value);
  /// Sends an interim response at once, ahead of the real one: `send_informational(103, {{"Link",
  /// "</style.css>; rel=preload; as=style"}})` (RFC 8297). Not to HTTP/1.0. 102 to 199, else a
  /// UsageError.
  void send_informational(
      int status, std::initializer_list<std::pair<std::string_view, std::string_view>> fields = {});

  /// Answers with 101 (Switching Protocols), the headers set so far, and gives the connection, over
  /// which the handler then speaks `protocol` itself; the verb should be a coroutine. UsageError
  /// unless request().has_upgrade(protocol). Shutting down does not wait for it. Needs
  /// <squall/net/stream.hpp>.
  [[nodiscard]] net::Stream switch_protocols(std::string_view protocol);

  /// Compresses this response when the client takes that, or does not, whatever
  /// Settings::compress_response says. Before the first flush().
  void set_compression(bool wanted);

  /// Ends the response. Called after the verb by itself.
  void finish();
  void finish(std::string_view chunk) {
    write(chunk);
    finish();
  }
  template <JSONDocument T>
  void finish(const T& document) {
    write(document);
    finish();
  }
  [[nodiscard]] bool is_finished() const noexcept;
  /// Runs `task` when the response has been handed to the connection: a mail to be sent, say.
  /// Tasks of one request run one after the other and end with the first that throws, which the
  /// log tells; clear(), and so an error page, forgets them. The handler is gone by then: they own
  /// what they use. Shutting down waits for them. A UsageError past limits::background_tasks of one
  /// request, HTTPError 503 while as many requests' wait as limits::background_requests.
  void add_background_task(Task<> task);

  /// Sends the client to `url` (made safe for the header) with 302, or 301 when `permanent`, or
  /// another status of 300 to 399, and finishes.
  void redirect(std::string_view url, bool permanent = false, int status = 0);
  /// Answers with an error page through write_error() and finishes. When part of the response has
  /// left already, the connection is broken, so that the client notices.
  void send_error(int status = 500);
  /// Forgets headers and body written so far.
  void clear();

  // Conditional requests (RFC 9110 §13). A whole response of 200 to GET or HEAD with an Etag or a
  // Last-Modified is compared with the request's conditions when it ends, and sent as 304 or 412 if
  // they say so; with `Accept-Ranges: bytes` it also answers Range (§14).

  /// Sets Last-Modified to a time in seconds since 1970; one in the future counts as now.
  void set_last_modified(std::int64_t unix_seconds);
  /// Compares the request's conditions with the Etag and Last-Modified set so far, for any method:
  /// before work that may be saved, and before a change that If-Match guards. True to go on; false
  /// when the answer, 304 or 412, has been sent. `exists` is false for what is to be created.
  ///
  ///     set_header("Etag", version_tag());
  ///     if (!check_preconditions()) return;
  [[nodiscard]] bool check_preconditions(bool exists = true);
  /// Sets Etag to compute_etag(), unless that is "".
  void set_etag_header();
  /// Whether If-None-Match has the Etag set so far, weakly compared: then 304 is the answer to GET.
  [[nodiscard]] bool check_etag_header() const;

  /// The URL of a file below Settings::static_path. Its version changes with the content, so that
  /// it may be cached for good. Made once for each version of a file: at once of up to 256 KiB that
  /// are in memory, else on the Executor, and the URL goes without until it is known. Of a file
  /// that is missing the URL has no version either, and the log says so.
  [[nodiscard]] std::string static_url(std::string_view path, const StaticURLOptions& options = {});

  /// Application::reverse_url().
  template <class... Args>
  [[nodiscard]] std::string reverse_url(std::string_view name, const Args&... args) const {
    const detail::URLArgument arguments[sizeof...(Args) + 1] = {args..., std::string_view()};
    return reverse_url_of(name, arguments, sizeof...(Args));
  }

  // Languages (<squall/locale.hpp>). The locales are those of Settings::translations, and live as
  // long as the application.

  /// That of this request: what set_locale() said, else get_user_locale(), else
  /// get_browser_locale(); asked once a request.
  [[nodiscard]] const squall::locale::Locale& locale();
  /// Must live as long as the request.
  void set_locale(const squall::locale::Locale& locale);
  /// What the user has chosen, nullptr for nothing, which is the default. Where that must be waited
  /// for, call set_locale() in prepare().
  [[nodiscard]] virtual const squall::locale::Locale* get_user_locale();
  /// By the weights of Accept-Language (RFC 9110 §12.5.4), which Vary then names while the head can
  /// be changed; without that field the closest to `default_code`.
  [[nodiscard]] virtual const squall::locale::Locale& get_browser_locale(
      std::string_view default_code = "en_US");

  [[nodiscard]] Application& application() const;
  [[nodiscard]] const Settings& settings() const;
  /// UsageError when a setting that `feature` needs is not set: one of cookie_secret, login_url,
  /// static_path, xsrf_cookies.
  void require_setting(std::string_view name, std::string_view feature = "this") const;
  /// Asked to stop when the client leaves.
  [[nodiscard]] StopToken stop_token() const;

 protected:
  friend class Exchange;
  /// The exchange, or a UsageError when there is none (any more).
  [[nodiscard]] Exchange& exchange() const;

 private:
  friend class EventStream;
  friend class WebSocketSession;
  [[nodiscard]] std::string reverse_url_of(std::string_view name,
                                           const detail::URLArgument* arguments,
                                           std::size_t count) const;
  void drop_exchange() noexcept { exchange_ = nullptr; }
  void keep_user(OptionalString user, void* object, const std::type_info& type,
                 void (*destroy)(void*) noexcept);
  [[nodiscard]] void* user_object(const std::type_info& type);
  void write_json(const json::value& document);
  void write_json(const json::object& document);
  void write_json(const json::array& document);

  Exchange* exchange_ = nullptr;
};

}  // namespace squall::web
