// SPDX-License-Identifier: Apache-2.0
#include "websocket/deflate.hpp"

#include "websocket/message_parser.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

// Serves a test over standard input and output until the input ends. A request is a letter, a
// 32-bit length (big endian) and that many bytes; the answer a length and bytes.
//
//   o OPTIONS            the client's offer
//   a OPTIONS \n OFFER   the server's answer and what was agreed, or "declined", "malformed"
//   c OPTIONS \n ANSWER  what the client takes it for, or "declined", or why it is refused
//   p ROLE TAKEOVER BITS TAKEOVER BITS LEVEL MEMORY   begins a connection: server's, client's
//   d MESSAGE            compressed
//   w MESSAGE            compressed in pieces of 100 bytes, every other flushed
//   f BYTES              frames received: messages as "text length\nbytes", "failed code"
//
// OPTIONS are six numbers: contexts taken over and windows of server and client, level, memory.
namespace {

using namespace squall::websocket;

struct Connection {
  Connection(Role our_role, DeflateParameters parameters, const CompressionOptions& options)
      : parser(our_role), deflater(deflate_settings(our_role, parameters, options)) {
    parser.set_deflate(parameters);
  }
  MessageParser parser;
  Deflater deflater;
};

CompressionOptions read_options(std::istream& in) {
  int numbers[6] = {};
  for (int& number : numbers) in >> number;
  CompressionOptions options;
  options.enabled = true;
  options.server_context_takeover = numbers[0] != 0;
  options.server_max_window_bits = static_cast<std::uint8_t>(numbers[1]);
  options.client_context_takeover = numbers[2] != 0;
  options.client_max_window_bits = static_cast<std::uint8_t>(numbers[3]);
  options.level = static_cast<std::uint8_t>(numbers[4]);
  options.memory_level = static_cast<std::uint8_t>(numbers[5]);
  return options;
}

std::string text_of(const DeflateParameters& agreed) {
  return std::to_string(!agreed.server_no_context_takeover) + " " +
         std::to_string(agreed.server_max_window_bits) + " " +
         std::to_string(!agreed.client_no_context_takeover) + " " +
         std::to_string(agreed.client_max_window_bits);
}

std::string accept(const std::string& request) {
  const std::size_t line = request.find('\n');
  std::istringstream in(request.substr(0, line));
  const std::string_view values[] = {std::string_view(request).substr(line + 1)};
  const auto agreement = accept_deflate(values, read_options(in));
  if (!agreement) return "malformed";
  if (!agreement->has_value()) return "declined";
  return (*agreement)->answer + "\n" + text_of((*agreement)->parameters);
}

std::string check_answer(const std::string& request) {
  const std::size_t line = request.find('\n');
  std::istringstream in(request.substr(0, line));
  const std::string_view values[] = {std::string_view(request).substr(line + 1)};
  const auto agreed = check_deflate_answer(values, read_options(in));
  if (!agreed) return "refused: " + agreed.error().message();
  return agreed->has_value() ? text_of(**agreed) : "declined";
}

std::unique_ptr<Connection> begin(const std::string& request) {
  std::istringstream in(request);
  std::string role;
  in >> role;
  const CompressionOptions options = read_options(in);
  DeflateParameters parameters;
  parameters.server_no_context_takeover = !options.server_context_takeover;
  parameters.client_no_context_takeover = !options.client_context_takeover;
  parameters.server_max_window_bits = options.server_max_window_bits & 15U;
  parameters.client_max_window_bits = options.client_max_window_bits & 15U;
  return std::make_unique<Connection>(role == "server" ? Role::server : Role::client, parameters,
                                      options);
}

std::string compress(Deflater& deflater, const std::string& message) {
  std::string payload = "1";
  if (!deflater.compress(message, payload)) return "0" + message;
  return payload;
}

std::string compress_in_pieces(Deflater& deflater, const std::string& message) {
  std::string payload = "1";
  std::string_view rest = message;
  for (int piece = 0; rest.size() > 100; ++piece) {
    deflater.append(rest.substr(0, 100), piece % 2 == 1, payload);
    rest.remove_prefix(100);
  }
  deflater.finish(rest, payload);
  return payload;
}

std::string receive(MessageParser& parser, std::string bytes) {
  std::string text;
  std::span<char> input(bytes);
  for (;;) {
    const auto event = parser.next(input);
    switch (event.kind) {
      case MessageParser::Kind::need_more:
        return text;
      case MessageParser::Kind::failed:
        return text + "failed " + std::to_string(static_cast<int>(event.code)) + "\n";
      default:
        text += (event.kind == MessageParser::Kind::text ? "text " : "binary ") +
                std::to_string(event.payload.size()) + "\n";
        text += event.payload;
    }
  }
}

std::optional<std::string> read(std::size_t size) {
  std::string bytes(size, '\0');
  if (std::fread(bytes.data(), 1, size, stdin) != size) return std::nullopt;
  return bytes;
}

}  // namespace

int main() {
  std::unique_ptr<Connection> connection;
  for (;;) {
    const auto head = read(5);
    if (!head) return 0;
    std::size_t size = 0;
    for (std::size_t i = 1; i < 5; ++i) size = size << 8 | static_cast<unsigned char>((*head)[i]);
    const auto request = read(size);
    if (!request) return 1;
    std::string answer;
    switch ((*head)[0]) {
      case 'o': {
        std::istringstream in(*request);
        answer = offer_deflate(read_options(in));
        break;
      }
      case 'a':
        answer = accept(*request);
        break;
      case 'c':
        answer = check_answer(*request);
        break;
      case 'p':
        connection = begin(*request);
        break;
      case 'd':
        answer = compress(connection->deflater, *request);
        break;
      case 'w':
        answer = compress_in_pieces(connection->deflater, *request);
        break;
      case 'f':
        answer = receive(connection->parser, *request);
        break;
      default:
        return 2;
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
      std::putchar(static_cast<int>(answer.size() >> shift & 0xFF));
    }
    std::fwrite(answer.data(), 1, answer.size(), stdout);
    std::fflush(stdout);
  }
}
