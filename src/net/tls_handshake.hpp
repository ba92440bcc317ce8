// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/tls_context.hpp"
#include "net/tls_filter.hpp"
#include "net/tls_records.hpp"

#include <squall/coro/detail/scheduler.hpp>

#include <memory>
#include <string>
#include <system_error>

namespace squall::net {

/// What a connection needs only as long as its handshake lasts: a deadline, and a place in the line
/// of those that wait for a private-key operation.
struct TLSFilter::Handshake final : detail::TimerNode, detail::ReadyNode {
  Handshake(TLSFilter& owner, Observer* told) noexcept;
  ~Handshake();

  TLSFilter& filter;
  Observer* observer;
  std::shared_ptr<const TLSGeneration> generation;
  std::string held;            // what arrived while it waited
  std::error_code ocsp_error;  // why the stapled response was not taken
  TLSSecrets secrets;
  std::uint64_t records_sent = 0;  // since the keys of application data
  bool may_sign = false;           // its turn in the line has come
  bool waits = false;
};

/// What is left of a server's connection after its handshake.
struct TLSFilter::Established final {
  TLSRecords records;
  std::string held;  // the beginning of a record
  const char* version = "";
  const char* cipher = "";
  std::string alpn;
  std::string server_name;
  CertificatePtr peer;
  unsigned strays = 0;  // records without data, since one with data
  bool session_reused = false;
};

}  // namespace squall::net
