// SPDX-License-Identifier: Apache-2.0
#include "parsers.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace parsers {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

std::string_view plain(string_view text) { return {text.data(), text.size()}; }

// Its default of 8 KiB would refuse the largest of the heads.
constexpr unsigned header_limit = 64 * 1024;

class ViewParser final : public http::basic_parser<true> {
 public:
  explicit ViewParser(Noted& noted) : noted_(noted) {}

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int,
                       error_code&) override {
    noted_.method = plain(method);
    noted_.target = plain(target);
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(http::field, string_view name, string_view value, error_code& error) override {
    if (noted_.field_count == most_fields) {
      error = http::error::header_limit;
      return;
    }
    noted_.fields[noted_.field_count++] = {plain(name), plain(value)};
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  Noted& noted_;
};

}  // namespace

bool beast_message(std::string_view head, Visitor* visitor) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(header_limit);
  error_code error;
  parser.put(asio::const_buffer(head.data(), head.size()), error);
  if (!parser.is_header_done()) return false;
  if (visitor != nullptr) {
    const auto& message = parser.get();
    visitor->on_request_line(plain(message.method_string()), plain(message.target()));
    for (const auto& field : message) {
      visitor->on_field(plain(field.name_string()), plain(field.value()));
    }
  }
  return true;
}

bool beast_views(std::string_view head, Visitor* visitor) {
  static Noted noted;
  noted.field_count = 0;
  ViewParser parser(noted);
  parser.header_limit(header_limit);
  error_code error;
  parser.put(asio::const_buffer(head.data(), head.size()), error);
  if (!parser.is_header_done()) return false;
  if (visitor != nullptr) {
    visitor->on_request_line(noted.method, noted.target);
    for (std::size_t i = 0; i < noted.field_count; ++i) {
      visitor->on_field(noted.fields[i].name, noted.fields[i].value);
    }
  }
  return true;
}

}  // namespace parsers
