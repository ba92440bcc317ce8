// SPDX-License-Identifier: Apache-2.0
#include "web/debug_page.hpp"

#include "base/ascii.hpp"
#include "http/html.hpp"
#include "loop/symbols.hpp"
#include "web/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <typeinfo>

/// Of squall::throw_traces, where a program links that: the frames from where an exception was
/// thrown, and how many.
extern "C" __attribute__((weak)) int squall_thrown_frames(const void* exception, void** frames,
                                                          int most);
/// Functions and lines of those of the frames for which they are known.
extern "C" __attribute__((weak)) void squall_describe_frames(void* const* frames, int count,
                                                             void (*line)(void* context, int frame,
                                                                          const char* text),
                                                             void* context);

namespace squall::web {
namespace {

constexpr std::size_t longest_value = 2000;
constexpr int most_frames = 48;

struct Section {
  std::string title;
  NamedValues values;
};

bool is_secret(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), ascii::lower);
  constexpr std::string_view parts[] = {"auth", "cookie", "csrf",   "key",   "passw",
                                        "pwd",  "secret", "signat", "token", "xsrf"};
  return std::any_of(std::begin(parts), std::end(parts), [&lower](std::string_view part) {
    return lower.find(part) != std::string::npos;
  });
}

void add(Section& section, std::string_view name, std::string_view value) {
  if (is_secret(name)) {
    section.values.emplace_back(name, "not shown");
    return;
  }
  std::string shown(value.substr(0, longest_value));
  if (value.size() > longest_value) shown += fmt::format("... ({} bytes)", value.size());
  section.values.emplace_back(name, std::move(shown));
}

/// What was thrown, then what caused that (std::nested_exception).
void describe(const std::exception_ptr& error, NamedValues& out) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& what) {
    out.emplace_back(loop::demangled(typeid(what).name()), what.what());
    const auto* const nested = dynamic_cast<const std::nested_exception*>(&what);
    if (nested != nullptr && nested->nested_ptr() && out.size() < 10) {
      describe(nested->nested_ptr(), out);
    }
  } catch (...) {
    out.emplace_back("something that is no std::exception", "");
  }
}

std::vector<std::string> stack_of(const std::exception_ptr& error) {
  if (squall_thrown_frames == nullptr) return {};
  const void* object = nullptr;  // libstdc++ and libc++ keep nothing but the object's address
  static_assert(sizeof object == sizeof error);
  std::memcpy(&object, static_cast<const void*>(&error), sizeof object);
  void* frames[most_frames];
  const int count = squall_thrown_frames(object, frames, most_frames);
  std::vector<std::vector<std::string>> known(static_cast<std::size_t>(count));
  squall_describe_frames(
      frames, count,
      [](void* lines, int frame, const char* text) {
        auto& of_frame = (*static_cast<decltype(known)*>(lines))[static_cast<std::size_t>(frame)];
        // How the library calls a verb is of no interest to who wrote it.
        const bool is_call =
            std::string_view(text).find("/squall/web/detail/") != std::string::npos;
        of_frame.emplace_back(is_call ? "" : text);
      },
      &known);
  const std::vector<std::string> names = loop::describe_frames(frames, count);
  std::vector<std::string> stack;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (known[i].empty()) {
      stack.push_back(names[i]);
    } else {
      stack.insert(stack.end(), known[i].begin(), known[i].end());
    }
  }
  std::erase(stack, "");
  return stack;
}

Section handler_of(const Exchange& exchange, const RequestHandler& handler) {
  Section section{"Handler", {}};
  add(section, "class", loop::demangled(typeid(handler).name()));
  const RouteTarget* const target = exchange.target();
  if (target == nullptr) {
    add(section, "route", "none matches");
    return section;
  }
  add(section, "route", target->pattern);
  for (std::size_t i = 0; i < target->names.size(); ++i) {
    const std::string& name = target->names[i];
    add(section, name.empty() ? std::to_string(i) : name, exchange.path_arguments().values[i]);
  }
  return section;
}

Section request_of(const HTTPServerRequest& request, std::string_view id) {
  Section section{"Request", {}};
  add(section, "line",
      fmt::format("{} {} {}", request.method_name(), request.path(), request.version()));
  add(section, "URL", fmt::format("{}://{}{}", request.protocol(), request.host(), request.path()));
  add(section, "client", request.remote_ip());
  if (!id.empty()) add(section, "request id", id);
  return section;
}

Section headers_of(const HTTPServerRequest& request) {
  Section section{"Headers", {}};
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    add(section, request.header_name(i), request.header_value(i));
  }
  return section;
}

Section arguments_of(Exchange& exchange, bool of_body) {
  Section section{of_body ? "Arguments of the body" : "Arguments of the query", {}};
  try {
    const auto& arguments = of_body ? exchange.body_arguments() : exchange.query_arguments();
    for (const auto& [name, value] : arguments) add(section, name, value);
  } catch (const std::exception& error) {  // malformed ones may be what the page is about
    add(section, "unreadable", error.what());
  }
  return section;
}

void append_text(std::string& out, std::string_view title, const NamedValues& thrown,
                 const std::vector<std::string>& stack, const std::vector<Section>& sections) {
  out.append(title).append("\n");
  for (const auto& [type, what] : thrown) {
    out.append("\n").append(type).append(what.empty() ? "" : ": ").append(what).append("\n");
  }
  for (const std::string& frame : stack) out.append("  at ").append(frame).append("\n");
  for (const Section& section : sections) {
    out.append("\n").append(section.title).append("\n");
    for (const auto& [name, value] : section.values) {
      out.append("  ").append(name).append(": ").append(value).append("\n");
    }
  }
}

constexpr std::string_view style =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;"
    "color-scheme:light dark}h1{font-size:1.4rem}h2{font-size:1rem;margin:1.5rem 0 .3rem}"
    "pre,code,td{font-family:ui-monospace,monospace;font-size:.85rem}"
    "pre{overflow-x:auto;padding:.8rem;border-left:4px solid #c33;background:#c331;"
    "white-space:pre-wrap}td{vertical-align:top;padding:.1rem 1rem .1rem 0;"
    "overflow-wrap:anywhere}td:first-child{opacity:.7;white-space:nowrap}";

void append_html(std::string& out, std::string_view title, const NamedValues& thrown,
                 const std::vector<std::string>& stack, const std::vector<Section>& sections) {
  using http::escape_html;
  const std::string heading = escape_html(title);
  out.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>")
      .append(heading)
      .append("</title><meta name=\"viewport\" content=\"width=device-width\"><style>")
      .append(style)
      .append("</style></head><body><h1>")
      .append(heading)
      .append("</h1>\n");
  for (const auto& [type, what] : thrown) {
    out.append("<pre><b>").append(escape_html(type)).append("</b>\n").append(escape_html(what));
    out.append("</pre>\n");
  }
  if (!stack.empty()) {
    out.append("<h2>Thrown at</h2><pre>");
    for (const std::string& frame : stack) out.append(escape_html(frame)).append("\n");
    out.append("</pre>\n");
  }
  for (const Section& section : sections) {
    out.append("<h2>").append(escape_html(section.title)).append("</h2><table>\n");
    for (const auto& [name, value] : section.values) {
      out.append("<tr><td>").append(escape_html(name)).append("</td><td>");
      out.append(escape_html(value)).append("</td></tr>\n");
    }
    out.append("</table>\n");
  }
  out.append(
      "<p>This page is there because <code>Settings::debug</code> is on; without it the client "
      "sees nothing but the heading.</p></body></html>\n");
}

}  // namespace

void write_debug_page(RequestHandler& handler, std::string_view title,
                      const std::exception_ptr& error) {
  Exchange& exchange = Exchange::of(handler);
  NamedValues thrown;
  std::vector<std::string> stack;
  if (error) {
    describe(error, thrown);
    stack = stack_of(error);
  }
  std::vector<Section> sections;
  sections.push_back(handler_of(exchange, handler));
  sections.push_back(request_of(exchange.request(), exchange.request_id()));
  sections.push_back(headers_of(exchange.request()));
  for (const bool of_body : {false, true}) {
    Section section = arguments_of(exchange, of_body);
    if (!section.values.empty()) sections.push_back(std::move(section));
  }
  sections.push_back({"Settings", describe_settings(exchange.worker().application())});

  std::string& out = exchange.body_out();
  if (exchange.request().header("Accept").find("text/html") == std::string_view::npos) {
    handler.set_header("Content-Type", "text/plain; charset=UTF-8");
    append_text(out, title, thrown, stack, sections);
  } else {
    // A policy of the site would take its style away. The script is autoreload's.
    handler.set_header("Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; "
                       "connect-src 'self'; base-uri 'none'");
    append_html(out, title, thrown, stack, sections);
  }
}

}  // namespace squall::web
