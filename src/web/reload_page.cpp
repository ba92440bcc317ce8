// SPDX-License-Identifier: Apache-2.0
#include "http/ascii.hpp"
#include "web/autoreload.hpp"
#include "web/exchange.hpp"

#include <squall/http/status.hpp>

#include <algorithm>

// The script that makes pages reload goes into them here, in development; autoreload.hpp.
namespace squall::web {
namespace {

bool equal_here(std::string_view text, std::size_t at, std::string_view word) noexcept {
  return text.size() - at >= word.size() && http::ascii::equal(text.substr(at, word.size()), word);
}

/// Where the body's end tag is; the text's size without one.
std::size_t find_body_end(std::string_view html) noexcept {
  constexpr std::string_view tag = "</body";
  for (std::size_t at = html.rfind('<'); at != std::string_view::npos;
       at = html.rfind('<', at - 1)) {
    if (equal_here(html, at, tag)) return at;
    if (at == 0) break;
  }
  return html.size();
}

/// Whether it is more than a fragment, for clients that do not say what they want it for.
bool looks_whole(std::string_view html) noexcept {
  const std::size_t at = std::min(html.find_first_not_of(" \t\r\n"), html.size());
  return equal_here(html, at, "<!doctype html") || equal_here(html, at, "<html") ||
         find_body_end(html) != html.size();
}

/// The nonce of a Content-Security-Policy, which scripts need.
std::string_view nonce_of(std::string_view policy) noexcept {
  constexpr std::string_view mark = "'nonce-";
  const std::size_t at = policy.find(mark);
  if (at == std::string_view::npos) return {};
  policy.remove_prefix(at + mark.size());
  return policy.substr(0, policy.find('\''));
}

}  // namespace

bool Exchange::takes_reload_script() const {
  if (worker_.application().autoreload == nullptr || http::bodiless(status_)) return false;
  constexpr std::string_view html = "text/html";
  if (body_out_.empty() || !equal_here(header("Content-Type"), 0, html)) return false;
  if (!header("Content-Encoding").empty() || !header("Content-Range").empty()) return false;
  if (const std::string_view length = header("Content-Length");
      !length.empty() && length != std::to_string(body_out_.size())) {
    return false;  // a mistake, which is to be seen
  }
  const std::string_view wanted_for = head_->field("Sec-Fetch-Dest");
  return wanted_for.empty() ? looks_whole(body_out_) : wanted_for == "document";
}

void Exchange::add_reload_script() {
  const PageState state = worker_.application().autoreload->pages().state();
  const std::string element =
      reload_element(state.generation, nonce_of(header("Content-Security-Policy")));
  body_out_.insert(find_body_end(body_out_), element);
  // A page that was changed so is for once: it has no validators, and is not kept.
  for (const char* const name : {"Content-Length", "Etag", "Last-Modified"}) clear_header(name);
  set_header("Cache-Control", "no-store");
}

}  // namespace squall::web
