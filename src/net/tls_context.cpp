// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.hpp"

#include <squall/base/error.hpp>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <utility>

namespace squall::net {
namespace {

std::string key_log_name(std::string_view file, bool from_environment) {
  if (!file.empty() || !from_environment) return std::string(file);
  const char* const named = std::getenv("SSLKEYLOGFILE");
  return named != nullptr ? named : "";
}

template <class Options>
TLSConfig common_config(const Options& options) {
  TLSConfig config;
  config.alpn = alpn_on_the_wire(options.alpn);
  config.min_version = options.min_version;
  config.ciphers = options.ciphers;
  config.cipher_suites = options.cipher_suites;
  config.groups = options.groups;
  config.handshake_timeout = options.handshake_timeout;
  config.key_log_file = key_log_name(options.key_log_file, options.key_log_from_environment);
  return config;
}

}  // namespace

TLSContext::Impl::Impl(TLSConfig&& from, std::vector<CertificateSource>&& files,
                       Duration ticket_key_lifetime)
    : config(std::move(from)),
      sources(std::move(files)),
      tickets(ticket_key_lifetime, config.session_lifetime) {
  if (!config.key_log_file.empty()) {
    key_log.reset(
        ::open(config.key_log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!key_log) {
      throw std::system_error(errno, std::generic_category(),
                              "cannot write the key log " + config.key_log_file);
    }
  }
  current = TLSGeneration::make(config, sources);
}

TLSContext TLSContext::server(const TLSServerOptions& options) {
  TLSConfig config = common_config(options);
  config.is_server = true;
  std::vector<CertificateSource> sources;
  sources.push_back({std::string(options.certificate_file),
                     std::string(options.key_file),
                     std::string(options.ocsp_file),
                     {}});
  config.client_certificate = options.client_certificate;
  config.ca_file = options.client_ca_file;
  if (options.client_certificate != ClientCertificate::none && config.ca_file.empty()) {
    throw UsageError("certificates of clients need client_ca_file: who may sign them");
  }
  config.refuse_unknown_names = options.refuse_unknown_names;
  config.resumption = options.session_tickets;
  config.session_lifetime = options.session_lifetime;
  return TLSContext(new Impl(std::move(config), std::move(sources), options.ticket_key_lifetime));
}

TLSContext TLSContext::client(const TLSClientOptions& options) {
  TLSConfig config = common_config(options);
  std::vector<CertificateSource> sources;
  if (!options.certificate_file.empty()) {
    sources.push_back(
        {std::string(options.certificate_file), std::string(options.key_file), {}, {}});
  }
  config.verify_server = options.verify;
  config.ca_file = options.ca_file;
  config.ca_pem = options.ca_pem;
  config.request_ocsp = options.request_ocsp || options.require_ocsp;
  config.require_ocsp = options.require_ocsp;
  config.resumption = options.resume_sessions;
  return TLSContext(new Impl(std::move(config), std::move(sources), {}));
}

TLSContext::TLSContext(const TLSContext& other) noexcept : impl_(other.impl_) {
  if (impl_ != nullptr) impl_->references.fetch_add(1, std::memory_order_relaxed);
}

TLSContext& TLSContext::operator=(TLSContext other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

TLSContext::~TLSContext() {
  if (impl_ != nullptr && impl_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    delete impl_;
  }
}

bool TLSContext::is_server() const noexcept { return impl_ != nullptr && impl_->config.is_server; }

void TLSContext::add_certificate(const TLSCertificate& certificate) const {
  if (!is_server()) throw UsageError("certificates are added to the context of a server");
  const std::scoped_lock lock(impl_->changing);
  std::vector<CertificateSource> sources = impl_->sources;
  sources.push_back({std::string(certificate.certificate_file), std::string(certificate.key_file),
                     std::string(certificate.ocsp_file), std::string(certificate.host_names)});
  auto made = TLSGeneration::make(impl_->config, sources);
  impl_->sources = std::move(sources);
  const std::scoped_lock swapping(impl_->mutex);
  impl_->current.swap(made);
}

void TLSContext::reload() const {
  if (impl_ == nullptr) throw UsageError("an empty TLSContext has nothing to reload");
  const std::scoped_lock lock(impl_->changing);
  auto made = TLSGeneration::make(impl_->config, impl_->sources);
  // A ticket vouches for the client's certificate, which the new files may not trust any more.
  if (impl_->config.client_certificate != ClientCertificate::none) impl_->tickets.forget();
  const std::scoped_lock swapping(impl_->mutex);
  impl_->current.swap(made);
}

}  // namespace squall::net
