// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"
#include "http/percent.hpp"
#include "web/autoreload.hpp"
#include "web/exchange.hpp"

#include <string>

// Who answers a request: its route, its handler, the verb; and what is answered when there is none.
namespace squall::web {
namespace {

/// For a default handler that does not have the request's verb.
constexpr detail::VerbEntry no_route_verb = {
    .plain = [](RequestHandler&, const PathArguments&) { throw HTTPError(404); }};
constexpr detail::VerbEntry no_method_verb = {
    .plain = [](RequestHandler&, const PathArguments&) { throw HTTPError(405); }};

}  // namespace

std::string RequestHandler::reverse_url_of(std::string_view name,
                                           const detail::URLArgument* arguments,
                                           std::size_t count) const {
  return exchange().worker().application().routing.reverse_url(name, arguments, count);
}

void Exchange::route() {
  spec_ = reload_handler();  // in development; it stands in front of all routes
  if (spec_ != nullptr) {
    match_ = {};
    return;
  }
  const std::string_view path = normalise_path(head_->path(), normalised_path_);
  const Routing& routing = worker_.application().routing;
  routing.find(routing.has_hosts() ? host() : std::string_view(), path, match_);
}

void Exchange::answer_options(RequestHandler& handler, const PathArguments&) {
  Exchange& self = *handler.exchange_;
  self.set_status(204, {});
  self.set_header("Allow", self.allowed_methods());
}

/// What is run at the end of a chain of middleware when there is no handler.
const detail::VerbEntry& Exchange::refusal(Answer answer) const noexcept {
  static constexpr detail::VerbEntry options_verb = {.plain = &Exchange::answer_options};
  return answer == Answer::options              ? options_verb
         : answer == Answer::method_not_allowed ? no_method_verb
                                                : no_route_verb;
}

void Exchange::take(const Endpoint& endpoint) noexcept {
  spec_ = &endpoint.spec;
  if (endpoint.scope != nullptr) scope_ = endpoint.scope;
}

void Exchange::decode_arguments() {
  bool encoded = false;
  for (std::size_t i = 0; i < match_.argument_count; ++i) {
    arguments_[i] = match_.arguments[i];
    encoded = encoded || arguments_[i].find('%') != std::string_view::npos;
  }
  if (!encoded) return;
  std::size_t size = 0;
  for (std::size_t i = 0; i < match_.argument_count; ++i) size += arguments_[i].size();
  decoded_arguments_.clear();
  decoded_arguments_.reserve(size);  // views into it: it must not move
  for (std::size_t i = 0; i < match_.argument_count; ++i) {
    const std::size_t at = decoded_arguments_.size();
    decoded_arguments_ += http::percent_decode(arguments_[i]);
    arguments_[i] = std::string_view(decoded_arguments_).substr(at);
    if (!is_utf8(arguments_[i])) throw HTTPError(400, "a path argument is not UTF-8");
  }
}

Exchange::Answer Exchange::choose() {
  const RouteTarget* const target = match_.target;
  if (spec_ == nullptr && target == nullptr) {
    spec_ = &worker_.application().default_handler;
    if (!*spec_) return Answer::not_found;
  } else if (spec_ == nullptr && target->all) {
    take(target->all);
  }
  const auto find = [&](http::Method method) -> const detail::VerbEntry* {
    if (method == http::Method::unknown) return nullptr;
    const auto index = static_cast<std::size_t>(method);
    if (spec_ != nullptr) {
      const detail::VerbEntry& entry = spec_->factory()->type.verbs[index];
      return entry ? &entry : nullptr;
    }
    const Endpoint& from = target->by_method[index];
    if (!from) return nullptr;
    take(from);
    return &spec_->factory()->type.verbs[index];
  };
  if (spec_ != nullptr && spec_->factory()->type.socket != nullptr) {
    // The handshake is a GET (RFC 6455 §4.1); others are told so.
    return head_->method() == http::Method::get ? Answer::verb : Answer::method_not_allowed;
  }
  if (spec_ != nullptr && spec_->factory()->type.events != nullptr) {
    const bool may = head_->method() == http::Method::get || head_->method() == http::Method::head;
    return may                                        ? Answer::verb
           : head_->method() == http::Method::options ? Answer::options
                                                      : Answer::method_not_allowed;
  }
  verb_ = find(head_->method());
  if (verb_ == nullptr && head_->method() == http::Method::head) verb_ = find(http::Method::get);
  if (verb_ != nullptr) return Answer::verb;
  // Of what is no route of its own; a default handler's prepare() may answer.
  if (target == nullptr || target->rank != RouteRank::route) {
    verb_ = &no_route_verb;
    return Answer::verb;
  }
  if (spec_ == nullptr) scope_ = scope_of_refusal(*target);
  return head_->method() == http::Method::options ? Answer::options : Answer::method_not_allowed;
}

/// Of a path whose methods have routes of their own, none of which is the request's. A preflight
/// (Fetch §4.8) is about the method that it names; else the first route speaks for the path.
const RouteScope* Exchange::scope_of_refusal(const RouteTarget& target) const {
  const Endpoint* speaker = nullptr;
  if (head_->method() == http::Method::options) {
    const auto asked = http::parse_method(head_->field("Access-Control-Request-Method"));
    if (asked != http::Method::unknown) {
      speaker = &target.by_method[static_cast<std::size_t>(asked)];
    }
  }
  for (const Endpoint& endpoint : target.by_method) {
    if (speaker != nullptr && *speaker) break;
    speaker = &endpoint;
  }
  return speaker->scope != nullptr ? speaker->scope : scope_;
}

std::string Exchange::allowed_methods() const {
  const RouteTarget* const target = match_.target;
  std::string list;
  const auto name = [&list](http::Method method) {
    if (!list.empty()) list += ", ";
    list += http::to_string(method);
  };
  const auto has = [&](http::Method method) {
    const auto index = static_cast<std::size_t>(method);
    const Endpoint& endpoint = target->all ? target->all : target->by_method[index];
    if (!endpoint) return false;
    const detail::HandlerType& type = endpoint.spec.factory()->type;
    if (type.socket != nullptr || type.events != nullptr) return method == http::Method::get;
    return static_cast<bool>(type.verbs[index]);
  };
  for (std::size_t i = 0; i < http::method_count; ++i) {
    const auto method = static_cast<http::Method>(i);
    const bool derived =
        (method == http::Method::head && has(http::Method::get)) || method == http::Method::options;
    if (has(method) || derived) name(method);
  }
  return list;
}

// Makes the handler. False when there is none: the request has been answered then.
bool Exchange::select_handler() {
  selected_ = true;
  const auto set_chain = [this] {
    chain_ = scope_->middleware.empty() ? nullptr : &scope_->middleware;
  };
  scope_ = &worker_.application().routing.root_scope();
  set_chain();
  if (head_->path() == "*") {  // RFC 9110 §9.3.7: about the server as a whole
    adopt(new RequestHandler());
    clear();
    set_status(204, {});
    set_header("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
    finish();
    return false;
  }
  route();
  const bool is_reload = spec_ != nullptr;
  const Answer answer = choose();
  if (is_reload) {
    chain_ = nullptr;
  } else {
    set_chain();
  }
  if (scope_->write_timeout != Duration()) set_write_timeout(scope_->write_timeout);
  adopt(answer == Answer::verb ? spec_->factory()->create() : new RequestHandler());
  clear();
  if (answer != Answer::verb && chain_ != nullptr) {
    static const HandlerSpec refusing = web::handler<RequestHandler>;
    spec_ = &refusing;
    verb_ = &refusal(answer);
    refuses_ = true;
    run();
    return false;
  }
  switch (answer) {
    case Answer::not_found:
      throw HTTPError(404);
    case Answer::method_not_allowed:
      send_error(405, nullptr);
      return false;
    case Answer::options:
      set_status(204, {});
      set_header("Allow", allowed_methods());
      finish();
      return false;
    case Answer::verb:
      break;
  }
  return true;
}

}  // namespace squall::web
