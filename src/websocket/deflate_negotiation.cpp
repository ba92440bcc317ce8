// SPDX-License-Identifier: Apache-2.0
#include "websocket/deflate_negotiation.hpp"

#include "http/ascii.hpp"
#include "websocket/extensions.hpp"

#include <squall/base/error.hpp>

#include <algorithm>
#include <vector>

namespace squall::websocket {
namespace {

constexpr std::string_view extension_name = "permessage-deflate";
constexpr unsigned most_window_bits = 15;

/// The parameters of one extension element, as they stand there (RFC 7692 §7.1).
struct Stated {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  bool has_server_window = false;
  bool has_client_window = false;
  unsigned server_window = 0;
  unsigned client_window = 0;  // 0: named without a value, which only an offer may do
};

std::error_code take_flag(const ExtensionReader& reader, bool& flag) {
  if (flag) return ExtensionError::repeated_parameter;
  if (reader.has_value) return ExtensionError::bad_parameter_value;
  flag = true;
  return {};
}

// A decimal integer from 8 to 15 without leading zeros (RFC 7692 §7.1.2.1); 0 for anything else.
unsigned read_window(std::string_view text) noexcept {
  if (text == "8" || text == "9") return static_cast<unsigned>(text[0] - '0');
  if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5') {
    return 10 + static_cast<unsigned>(text[1] - '0');
  }
  return 0;
}

std::error_code take_window(const ExtensionReader& reader, bool value_needed, bool& seen,
                            unsigned& bits) {
  if (seen) return ExtensionError::repeated_parameter;
  seen = true;
  if (!reader.has_value) {
    return value_needed ? make_error_code(ExtensionError::bad_parameter_value) : std::error_code();
  }
  bits = read_window(reader.value);
  return bits != 0 ? std::error_code() : ExtensionError::bad_parameter_value;
}

// Names are compared as they are: RFC 7692 gives them in lower case and says nothing of other
// spellings. So is that of the extension.
std::error_code take_parameter(const ExtensionReader& reader, bool is_offer, Stated& stated) {
  if (reader.name == "server_no_context_takeover") {
    return take_flag(reader, stated.server_no_context_takeover);
  }
  if (reader.name == "client_no_context_takeover") {
    return take_flag(reader, stated.client_no_context_takeover);
  }
  if (reader.name == "server_max_window_bits") {
    return take_window(reader, true, stated.has_server_window, stated.server_window);
  }
  if (reader.name == "client_max_window_bits") {
    return take_window(reader, !is_offer, stated.has_client_window, stated.client_window);
  }
  return ExtensionError::unknown_parameter;
}

// The first fault of the element the reader stands on; all of its parameters are read.
std::error_code read_parameters(ExtensionReader& reader, bool is_offer, Stated& stated) {
  std::error_code first;
  while (reader.next_parameter()) {
    const std::error_code error = take_parameter(reader, is_offer, stated);
    if (!first) first = error;
  }
  return reader.is_malformed() ? make_error_code(ExtensionError::malformed) : first;
}

unsigned window_or_default(unsigned bits, bool context_takeover) noexcept {
  if (bits != 0) return std::clamp(bits, 8U, most_window_bits);
  return context_takeover ? 12 : most_window_bits;
}
unsigned server_window(const CompressionOptions& options) noexcept {
  return window_or_default(options.server_max_window_bits, options.server_context_takeover);
}
unsigned client_window(const CompressionOptions& options) noexcept {
  return window_or_default(options.client_max_window_bits, options.client_context_takeover);
}

void add_flag(std::string& text, bool wanted, std::string_view name) {
  if (wanted) text.append("; ").append(name);
}
void add_window(std::string& text, bool wanted, std::string_view name, unsigned bits) {
  if (wanted) text.append("; ").append(name).append("=").append(std::to_string(bits));
}

DeflateParameters parameters_of(bool server_no_context_takeover, bool client_no_context_takeover,
                                unsigned server_bits, unsigned client_bits) noexcept {
  DeflateParameters parameters;
  parameters.server_no_context_takeover = server_no_context_takeover;
  parameters.client_no_context_takeover = client_no_context_takeover;
  parameters.server_max_window_bits = static_cast<std::uint8_t>(server_bits & 15U);
  parameters.client_max_window_bits = static_cast<std::uint8_t>(client_bits & 15U);
  return parameters;
}

DeflateAgreement agree(const Stated& offer, const CompressionOptions& options) {
  const bool no_server_takeover =
      offer.server_no_context_takeover || !options.server_context_takeover;
  const bool no_client_takeover =
      offer.client_no_context_takeover || !options.client_context_takeover;
  unsigned server_bits = server_window(options);
  if (offer.has_server_window) server_bits = std::min(server_bits, offer.server_window);
  // Only a client that has named client_max_window_bits can be bound (RFC 7692 §7.1.2.2), and one
  // that gave a value keeps to it unasked.
  unsigned client_bits = most_window_bits;
  if (offer.has_client_window) {
    client_bits = client_window(options);
    if (offer.client_window != 0) client_bits = std::min(client_bits, offer.client_window);
  }

  DeflateAgreement agreement;
  agreement.parameters =
      parameters_of(no_server_takeover, no_client_takeover, server_bits, client_bits);
  std::string& answer = agreement.answer;
  answer = extension_name;
  add_flag(answer, no_server_takeover, "server_no_context_takeover");
  add_flag(answer, no_client_takeover, "client_no_context_takeover");
  // RFC 7692 §7.1.2.1: an offer with the parameter is accepted by naming it.
  add_window(answer, offer.has_server_window || server_bits < most_window_bits,
             "server_max_window_bits", server_bits);
  add_window(answer, offer.has_client_window && client_bits < most_window_bits,
             "client_max_window_bits", client_bits);
  return agreement;
}

// Looks at each element of a value until there is an agreement; the rest is still read, since a
// fault anywhere fails the handshake.
std::error_code look_through(std::string_view value, const CompressionOptions& options,
                             std::optional<DeflateAgreement>& agreement) {
  ExtensionReader reader(value);
  while (reader.next_extension()) {
    if (agreement || !options.enabled || reader.extension != extension_name) {
      continue;
    }
    Stated offer;
    // RFC 7692 §7: an offer with a fault is declined, and the next one looked at.
    if (!read_parameters(reader, true, offer)) agreement = agree(offer, options);
  }
  return reader.is_malformed() ? make_error_code(ExtensionError::malformed) : std::error_code();
}

// RFC 7692 §7.1.1, §7.1.2: what the server may answer to our own offer.
Result<std::optional<DeflateParameters>> settle(const Stated& answer,
                                                const CompressionOptions& options) {
  unsigned server_bits = most_window_bits;
  const unsigned wanted = server_window(options);
  if (answer.has_server_window) server_bits = answer.server_window;
  if (wanted < most_window_bits && server_bits > wanted) {
    return ExtensionError::parameter_not_kept;
  }
  // We have offered client_max_window_bits, with a value or without: any answer within it is right.
  unsigned client_bits = client_window(options);
  if (answer.has_client_window) {
    if (answer.client_window > client_bits) return ExtensionError::parameter_not_kept;
    client_bits = answer.client_window;
  }
  return std::optional(
      parameters_of(answer.server_no_context_takeover,
                    answer.client_no_context_takeover || !options.client_context_takeover,
                    server_bits, client_bits));
}

class ExtensionCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "squall.websocket.extension"; }
  std::string message(int value) const override {
    switch (static_cast<ExtensionError>(value)) {
      case ExtensionError::malformed:
        return "malformed Sec-WebSocket-Extensions";
      case ExtensionError::not_offered:
        return "an extension that was not offered";
      case ExtensionError::answered_twice:
        return "permessage-deflate answered twice";
      case ExtensionError::unknown_parameter:
        return "unknown parameter of permessage-deflate";
      case ExtensionError::repeated_parameter:
        return "repeated parameter of permessage-deflate";
      case ExtensionError::bad_parameter_value:
        return "bad value of a parameter of permessage-deflate";
      case ExtensionError::parameter_not_kept:
        return "the answer is not within what was offered of permessage-deflate";
    }
    return "unknown";
  }
};

}  // namespace

std::error_code make_error_code(ExtensionError error) noexcept {
  static const ExtensionCategory category;
  return {static_cast<int>(error), category};
}

void check(const CompressionOptions& options) {
  if (options.level > 9) throw UsageError("CompressionOptions::level is 0 to 9");
  if (options.memory_level > 9) {
    throw UsageError("CompressionOptions::memory_level is 1 to 9, or 0 for the default");
  }
  for (const unsigned bits : {options.server_max_window_bits, options.client_max_window_bits}) {
    if (bits != 0 && (bits < 8 || bits > most_window_bits)) {
      throw UsageError("CompressionOptions: window bits are 8 to 15, or 0 for the default");
    }
  }
}

Result<std::optional<DeflateAgreement>> accept_deflate(std::span<const std::string_view> values,
                                                       const CompressionOptions& options) {
  std::optional<DeflateAgreement> agreement;
  for (const std::string_view value : values) {
    if (const std::error_code error = look_through(value, options, agreement)) return error;
  }
  return agreement;
}

Result<std::optional<DeflateAgreement>> accept_deflate(const http::RequestHead& head,
                                                       const CompressionOptions& options) {
  // Several fields are one list (RFC 6455 §11.3.2).
  std::optional<DeflateAgreement> agreement;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (!http::ascii::equal(head.field_name(i), "Sec-WebSocket-Extensions")) continue;
    if (const std::error_code error = look_through(head.field_value(i), options, agreement)) {
      return error;
    }
  }
  return agreement;
}

namespace {

std::string one_offer(const CompressionOptions& options, bool no_server_takeover) {
  std::string offer(extension_name);
  add_flag(offer, no_server_takeover, "server_no_context_takeover");
  add_flag(offer, !options.client_context_takeover, "client_no_context_takeover");
  const unsigned server_bits = server_window(options);
  add_window(offer, server_bits < most_window_bits, "server_max_window_bits", server_bits);
  const unsigned client_bits = client_window(options);
  add_flag(offer, client_bits == most_window_bits, "client_max_window_bits");
  add_window(offer, client_bits < most_window_bits, "client_max_window_bits", client_bits);
  return offer;
}

}  // namespace

std::string offer_deflate(const CompressionOptions& options) {
  if (!options.enabled) return {};
  if (options.server_context_takeover) return one_offer(options, false);
  // A second choice (RFC 7692 §5.1): there are servers, Tornado's among them, that answer without
  // the parameter, and what it saves is only our memory.
  return one_offer(options, true) + ", " + one_offer(options, false);
}

Result<std::optional<DeflateParameters>> check_deflate_answer(
    std::span<const std::string_view> values, const CompressionOptions& options) {
  std::optional<DeflateParameters> agreed;
  for (const std::string_view value : values) {
    ExtensionReader reader(value);
    while (reader.next_extension()) {
      if (!options.enabled || reader.extension != extension_name) {
        return ExtensionError::not_offered;
      }
      if (agreed) return ExtensionError::answered_twice;
      Stated answer;
      if (const std::error_code error = read_parameters(reader, false, answer)) return error;
      const Result<std::optional<DeflateParameters>> settled = settle(answer, options);
      if (!settled) return settled.error();
      agreed = *settled;
    }
    if (reader.is_malformed()) return ExtensionError::malformed;
  }
  return agreed;
}

}  // namespace squall::websocket
