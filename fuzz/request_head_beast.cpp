// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "http/ascii.hpp"
#include "http/head_parser.hpp"
#include "http/host.hpp"
#include "http/tokens.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Our head parser and Boost.Beast's must say the same of every whole head: refused, or accepted
// with the same method, target, fields and body. differences.md lists what they may disagree on,
// and why; each entry is a case of may_refuse(), of may_accept() or of for_beast().

namespace {

using namespace squall::http;
namespace beast = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

/// What a parser says of a head.
struct Verdict {
  bool accepted = false;
  std::string error;
  std::string method, target;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body = "none";  ///< or a length, or "chunked"

  [[nodiscard]] std::string text() const {
    if (!accepted) return "refused: " + error;
    std::string all = method + " " + target + "\n";
    for (const auto& [name, value] : fields) all += name + ": " + value + "\n";
    return all + "body: " + body;
  }
};

class BeastParser final : public beast::basic_parser<true> {
 public:
  Verdict verdict;

 private:
  static std::string owned(string_view text) { return {text.data(), text.size()}; }
  void on_request_impl(beast::verb, string_view method, string_view target, int,
                       error_code&) override {
    verdict.method = owned(method);
    verdict.target = owned(target);
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(beast::field, string_view name, string_view value, error_code&) override {
    verdict.fields.emplace_back(owned(name), owned(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}
};

Verdict ask_beast(std::string_view head) {
  BeastParser parser;
  parser.header_limit(static_cast<std::uint32_t>(head.size()) + 1);
  parser.body_limit(boost::none);
  error_code error;
  parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  Verdict verdict = std::move(parser.verdict);
  verdict.accepted = parser.is_header_done();
  if (!verdict.accepted) {
    verdict.error = error.message();
  } else if (parser.chunked()) {
    verdict.body = "chunked";
  } else if (const auto length = parser.content_length(); length && *length != 0) {
    verdict.body = std::to_string(*length);
  }
  return verdict;
}

Verdict ask_ours(std::string_view bytes, HeadError& error) {
  static RequestHead head;
  RequestHeadParser parser;
  Verdict verdict;
  const auto status = parser.parse(bytes, head, HeadLimits{.request_line_bytes = bytes.size()});
  fuzz::check(status != RequestHeadParser::Status::need_more, "a whole head is decided on");
  error = parser.error();
  if (status == RequestHeadParser::Status::done) {
    const RequestFraming framing = frame_request(head);
    error = framing.error;
    if (framing.body == RequestFraming::Body::chunked) verdict.body = "chunked";
    if (framing.body == RequestFraming::Body::length) {
      verdict.body = std::to_string(framing.content_length);
    }
  }
  verdict.accepted = error == HeadError{};
  if (!verdict.accepted) {
    verdict.error = make_error_code(error).message();
    return verdict;
  }
  verdict.method = head.method_name();
  verdict.target = head.target();
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    verdict.fields.emplace_back(head.field_name(i), head.field_value(i));
  }
  return verdict;
}

/// What is asked about a head to decide whether a difference is allowed. It looks at the bytes by
/// itself, line by line, as little as possible with the code of either parser.
class Facts {
 public:
  explicit Facts(std::string_view head) : head_(head) {
    std::string_view rest = head;
    if (rest.starts_with("\r\n")) rest.remove_prefix(2);
    std::string_view line = take_line(rest);
    method = fuzz::take(line, ' ');
    target = fuzz::take(line, ' ');
    version = line;
    while (!rest.empty()) {
      std::string_view field = take_line(rest);
      if (field.empty()) break;
      const std::string_view name = fuzz::take(field, ':');
      fields.emplace_back(name, ascii::trim(field));
    }
  }

  [[nodiscard]] std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(
        fields.begin(), fields.end(), [&](const auto& f) { return ascii::equal(f.first, name); }));
  }
  /// The elements of all fields of that name, also those that are empty.
  [[nodiscard]] std::vector<std::string_view> elements(std::string_view wanted) const {
    std::vector<std::string_view> all;
    for (auto [name, value] : fields) {
      if (!ascii::equal(name, wanted)) continue;
      for (;;) {
        const bool last = value.find(',') == value.npos;
        all.push_back(ascii::trim(fuzz::take(value, ',')));
        if (last) break;
      }
    }
    return all;
  }
  [[nodiscard]] bool has(std::string_view bytes) const { return head_.find(bytes) != head_.npos; }
  [[nodiscard]] bool has_later_minor_version() const {
    return version.size() == 8 && version.starts_with("HTTP/1.") && version[7] >= '2' &&
           version[7] <= '9';
  }
  [[nodiscard]] const char* begin() const { return head_.data(); }

  std::string_view method, target, version;
  std::vector<std::pair<std::string_view, std::string_view>> fields;

 private:
  static std::string_view take_line(std::string_view& rest) {
    const std::size_t size = std::min(rest.find("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, size);
    rest.remove_prefix(std::min(size + 2, rest.size()));
    return line;
  }

  std::string_view head_;
};

bool has_bad_escape(std::string_view target) {
  for (std::size_t at = 0; (at = target.find('%', at)) != target.npos; ++at) {
    if (target.size() - at < 3 || ascii::hex_value(target[at + 1]) < 0 ||
        ascii::hex_value(target[at + 2]) < 0) {
      return true;
    }
  }
  return false;
}

/// The four forms of a target (RFC 9112 §3.2).
bool has_form(std::string_view method, std::string_view target) {
  if (method == "CONNECT") return is_authority(target, PortRule::required);
  if (target.starts_with('/')) return true;
  if (target == "*") return method == "OPTIONS";
  const std::size_t colon = target.find("://");
  if (colon == target.npos) return false;
  const std::string_view scheme = target.substr(0, colon);
  if (!ascii::equal(scheme, "http") && !ascii::equal(scheme, "https")) return false;
  const std::string_view rest = target.substr(colon + 3);
  return is_authority(rest.substr(0, rest.find_first_of("/?")));
}

constexpr std::string_view most_length = "9223372036854775807";

/// Ours refuses, Beast does not.
bool may_refuse(HeadError error, const Facts& facts) {
  switch (error) {
    case HeadError::bad_request_line:
      return facts.method.size() > 32;
    case HeadError::bad_target:
      return facts.target.find('#') != facts.target.npos || has_bad_escape(facts.target) ||
             !has_form(facts.method, facts.target);
    case HeadError::obsolete_folding:
      return facts.has("\r\n ") || facts.has("\r\n\t");
    case HeadError::bad_host:
      return facts.count("host") > 1 ||
             (facts.count("host") == 0 && !facts.version.ends_with("1.0")) ||
             std::any_of(facts.fields.begin(), facts.fields.end(), [](const auto& field) {
               return ascii::equal(field.first, "host") && !is_authority(field.second);
             });
    case HeadError::too_many_fields:
      return facts.fields.size() > squall::limits::field_count;
    case HeadError::ambiguous_length:
      return facts.count("content-length") != 0 && facts.count("transfer-encoding") != 0;
    case HeadError::bad_transfer_encoding:
    case HeadError::unknown_coding: {
      const auto codings = facts.elements("transfer-encoding");
      return !codings.empty() && (facts.version.ends_with("1.0") || codings.size() != 1 ||
                                  !ascii::equal(codings[0], "chunked"));
    }
    case HeadError::content_too_large: {
      const auto lengths = facts.elements("content-length");
      return std::any_of(lengths.begin(), lengths.end(),
                         [](auto one) { return one.size() >= most_length.size(); });
    }
    case HeadError::unknown_expectation: {
      const auto all = facts.elements("expect");
      return std::any_of(all.begin(), all.end(),
                         [](auto one) { return !ascii::equal(one, "100-continue"); });
    }
    default:
      return false;
  }
}

/// Beast refuses, ours does not.
bool may_accept(const Verdict& theirs, const Facts& facts) {
  const auto is_token_list = [&facts](std::string_view name) {
    const auto all = facts.elements(name);
    return std::all_of(all.begin(), all.end(), [](auto e) { return e.empty() || is_token(e); });
  };
  return theirs.error == make_error_code(beast::error::bad_value).message() &&
         (!is_token_list("connection") || !is_token_list("proxy-connection"));
}

/// The head that `input` begins with; with an end, when it has none.
std::string whole_head(std::string_view input) {
  const std::size_t end = input.find("\r\n\r\n", input.starts_with("\r\n") ? 2 : 0);
  return std::string(input.substr(0, end)) + "\r\n\r\n";
}

/// What Beast is given instead: it knows nothing of the empty line that may come first, nor of
/// minor versions after 1.
std::string for_beast(std::string head, const Facts& facts) {
  if (facts.has_later_minor_version()) {
    head[static_cast<std::size_t>(facts.version.data() - facts.begin()) + 7] = '1';
  }
  return head.starts_with("\r\n") ? head.substr(2) : head;
}

}  // namespace

void fuzz::run(std::string_view input) {
  const std::string head = whole_head(input);
  const Facts facts(head);
  HeadError error{};
  const Verdict ours = ask_ours(head, error);
  const Verdict theirs = ask_beast(for_beast(head, facts));
  if (!ours.accepted && !theirs.accepted) return;
  if (ours.accepted != theirs.accepted &&
      (ours.accepted ? may_accept(theirs, facts) : may_refuse(error, facts))) {
    return;
  }
  check_same(ours.text(), theirs.text(), "what ours says, what Beast says");
}
