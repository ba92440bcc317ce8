// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/http/request_head.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall::http {

/// What one proxy says about the request that it passed on (RFC 7239 §4): parameters that it left
/// out are "". Names are lower case in effect; values are as they were sent, without their quotes.
struct ForwardedElement {
  std::string by;             ///< where the request came in (§5.1)
  std::string forwarded_for;  ///< who sent it to the proxy (§5.2)
  std::string host;           ///< the Host field that it had (§5.3)
  std::string proto;          ///< the scheme that it came with (§5.4)
};

/// Adds the elements of one Forwarded field's value to `elements`, in their order. False when the
/// value is malformed, a parameter stands twice in an element among that; then nothing is added.
/// Empty list elements are passed over (RFC 9110 §5.6.1.2).
[[nodiscard]] bool parse_forwarded(std::string_view value, std::vector<ForwardedElement>& elements);

/// The address of a node (RFC 7239 §6, also as X-Forwarded-For writes them): "192.0.2.1",
/// "192.0.2.1:4711", "[2001:db8::1]", "[2001:db8::1]:4711", "2001:db8::1". Without brackets and
/// port; "" for "unknown", an obfuscated identifier ("_hidden"), or what is no node.
///
/// What it gives looks like an address; whether it is one is for the caller's address type to say.
[[nodiscard]] std::string_view node_address(std::string_view node) noexcept;

/// The elements of a comma-separated list that may stand in several fields of one name, from the
/// last to the first: what the nearest proxy wrote comes first. Empty elements are passed over.
class ReverseFieldList {
 public:
  ReverseFieldList(const RequestHead& head, std::string_view name) noexcept
      : head_(head), name_(name), field_(head.field_count()) {}

  /// The next element before, trimmed; "" when there is none.
  [[nodiscard]] std::string_view next() noexcept;

 private:
  const RequestHead& head_;
  std::string_view name_;
  std::size_t field_;  // of the one being read; fields before it are to come
  std::string_view rest_;
};

}  // namespace squall::http
