// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/loop_core.hpp"
#include "loop/loop_testing.hpp"
#include "net/tls_context.hpp"
#include "net/tls_filter.hpp"
#include "net/tls_openssl.hpp"

#include <squall/base/log.hpp>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace squall::net {

/// A certificate authority with its files in a directory of its own.
class TestAuthority {
 public:
  struct Request {
    std::string_view names;  ///< as in "DNS:example.com,IP:127.0.0.1"
    std::string_view usage = "serverAuth";
    int first_day = -1;
    int last_day = 30;
    bool rsa = false;
  };
  struct Files {
    std::string certificate;
    std::string key;
    std::string ocsp;  ///< after staple()
  };

  TestAuthority() {
    char name[] = "/tmp/squall-tls-XXXXXX";
    directory_ = ::mkdtemp(name);
    key_.reset(EVP_EC_gen("P-256"));
    certificate_ = make(key_.get(), {.names = ""}, nullptr);
    file = write("ca.pem", pem(certificate_.get()));
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;
  ~TestAuthority() { std::filesystem::remove_all(directory_); }

  /// The same `stem` replaces the files.
  Files issue(const Request& request, std::string_view stem = "server") {
    const KeyPtr key(request.rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
    last_ = make(key.get(), request, certificate_.get());
    const BIOPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return {write(std::string(stem) + ".pem", pem(last_.get())),
            write(std::string(stem) + ".key", text(out.get())),
            {}};
  }
  /// A response about the certificate that was issued last.
  std::string staple(int status = V_OCSP_CERTSTATUS_GOOD, long from_day = -1, long until_day = 7) {
    const OCSPBasicPtr basic(OCSP_BASICRESP_new());
    OCSP_CERTID* const id = OCSP_cert_to_id(nullptr, last_.get(), certificate_.get());
    const auto when = [](long day) { return X509_gmtime_adj(nullptr, day * 24 * 3600); };
    ASN1_TIME* const from = when(from_day);
    ASN1_TIME* const until = when(until_day);
    ASN1_TIME* const revoked = when(-2);
    OCSP_basic_add1_status(basic.get(), id, status, 0, revoked, from, until);
    OCSP_basic_sign(basic.get(), certificate_.get(), key_.get(), EVP_sha256(), nullptr, 0);
    for (ASN1_TIME* const time : {from, until, revoked}) ASN1_TIME_free(time);
    OCSP_CERTID_free(id);
    const OCSPResponsePtr response(
        OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_RESPONSE(response.get(), &der);
    std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return write("staple.der", bytes);
  }

  std::string write(const std::string& name, std::string_view bytes) const {
    std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  std::string file;  ///< the authority's own certificate

 private:
  static std::string text(BIO* bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    return {bytes, static_cast<std::size_t>(size)};
  }
  static std::string pem(X509* certificate) {
    const BIOPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), certificate);
    return text(out.get());
  }
  static void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  CertificatePtr make(EVP_PKEY* key, const Request& request, X509* issuer) {
    CertificatePtr made(X509_new());
    X509* const certificate = made.get();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate), request.first_day * 24L * 3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), request.last_day * 24L * 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* const subject = X509_get_subject_name(certificate);
    const std::string common = issuer == nullptr ? "Test authority" : "Subject";
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common.data()),
                               static_cast<int>(common.size()), -1, 0);
    X509_set_issuer_name(certificate, issuer == nullptr ? subject : X509_get_subject_name(issuer));
    if (issuer == nullptr) {
      extend(certificate, certificate, NID_basic_constraints, "critical,CA:true");
      extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
      extend(certificate, issuer, NID_ext_key_usage, std::string(request.usage));
      extend(certificate, issuer, NID_subject_alt_name, std::string(request.names));
    }
    X509_sign(certificate, key_.get(), EVP_sha256());
    return made;
  }

  std::string directory_;
  KeyPtr key_;
  CertificatePtr certificate_;
  CertificatePtr last_;
  long serial_ = 0;
};

/// One end of a TLS connection on this thread's loop.
struct TLSEnd final : loop::StreamHandler, TLSFilter::Observer {
  TLSEnd() = default;
  TLSEnd(const TLSEnd&) = delete;
  TLSEnd& operator=(const TLSEnd&) = delete;
  ~TLSEnd() {
    if (stream != nullptr) stream->abort();
  }

  void adopt(UniqueFd fd) {
    stream = &loop::Stream::adopt(loop::LoopCore::current(), std::move(fd), *this);
  }
  // Reading on: a reset for what is unread, as the tickets of TLS 1.3, may reach the peer first.
  void close() { std::exchange(stream, nullptr)->close(loop::Stream::Linger::yes); }

  void on_receive(std::span<char> bytes) override {
    received.append(bytes.data(), bytes.size());
    ++deliveries;
    if (when_received) when_received();
  }
  void on_eof() override { saw_eof = true; }
  void on_timeout() override {}
  void on_broken(std::error_code error) override {
    broken = error;
    stream = nullptr;
  }
  void on_handshake_done() override {
    done = true;
    info = filter != nullptr ? filter->info() : TLSInfo();
  }
  void on_handshake_failed(std::error_code error, std::string_view why) override {
    failed = error;
    reason = why;
  }

  [[nodiscard]] bool is_settled() const { return done || broken.has_value(); }

  loop::Stream* stream = nullptr;
  TLSFilter* filter = nullptr;
  TLSInfo info;
  std::string received;
  std::function<void()> when_received;
  int deliveries = 0;
  bool done = false;
  bool saw_eof = false;
  std::error_code failed;
  std::string reason;
  std::optional<std::error_code> broken;
};

/// A server end, a client end, and a context for each.
class TLSTest : public ::testing::Test {
 protected:
  TLSTest() {
    log::set_sink([](void*, log::Level, std::string_view, std::string_view) {}, nullptr);
  }
  ~TLSTest() override {
    reset();
    log::set_sink(nullptr, nullptr);
  }
  static void run_until(const std::function<bool()>& condition) { loop::run_until(condition); }

  void reset() {
    server = std::make_unique<TLSEnd>();
    client = std::make_unique<TLSEnd>();
    run_until([] { return loop::LoopCore::current().open_streams() == 0; });
  }
  /// A server of the default certificate; the peer is a plain descriptor.
  UniqueFd start_server() {
    if (!server_context) use_server(TLSServerOptions{});
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    server->adopt(UniqueFd(ends[0]));
    server->filter = &TLSFilter::start_server(*server->stream, server_context, server.get());
    return UniqueFd(ends[1]);
  }
  void use_server(TLSServerOptions options) {
    if (options.certificate_file.empty()) {
      files = authority.issue({.names = "DNS:example.com,IP:192.0.2.1"});
      options.certificate_file = files.certificate;
      options.key_file = files.key;
    }
    server_context = TLSContext::server(options);
  }
  void use_client(TLSClientOptions options) {
    if (options.ca_file.empty() && options.ca_pem.empty()) options.ca_file = authority.file;
    client_context = TLSContext::client(options);
  }
  /// Takes TLS 1.3 away from the client.
  void limit_client() {
    SSL_CTX_set_max_proto_version(client_context.impl()->generation()->front(), TLS1_2_VERSION);
  }
  /// Connects and runs until both ends know how it ended.
  void connect(const TLSFilter::ClientParameters& parameters = {.server_name = "example.com"}) {
    start(parameters);
    run_until([&] { return server->is_settled() && client->is_settled(); });
  }
  void start(const TLSFilter::ClientParameters& parameters = {.server_name = "example.com"}) {
    if (!client_context) use_client(TLSClientOptions{});
    UniqueFd peer = start_server();
    client->adopt(std::move(peer));
    client->filter =
        &TLSFilter::start_client(*client->stream, client_context, parameters, client.get());
  }
  /// Ends a connection that works, after a round trip: the client has its tickets by then.
  void finish() {
    client->stream->write("last");
    run_until([&] { return server->received.ends_with("last"); });
    server->stream->write("bye");
    run_until([&] { return client->received.ends_with("bye"); });
    client->close();
    run_until([&] { return server->saw_eof; });
    server->close();
    reset();
  }

  TestAuthority authority;
  TestAuthority::Files files;
  TLSContext server_context;
  TLSContext client_context;
  std::unique_ptr<TLSEnd> server = std::make_unique<TLSEnd>();
  std::unique_ptr<TLSEnd> client = std::make_unique<TLSEnd>();
};

/// A TLS client over a plain descriptor, record by record: what it would send can be cut and bent.
class RawTLSClient {
 public:
  explicit RawTLSClient(int version = TLS1_3_VERSION) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
    ssl = SSL_new(context_.get());
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in_, out_);
    SSL_set_connect_state(ssl);
  }
  RawTLSClient(const RawTLSClient&) = delete;
  RawTLSClient& operator=(const RawTLSClient&) = delete;
  ~RawTLSClient() { SSL_free(ssl); }

  /// Goes on with what came; the bytes to send.
  std::string step(std::string_view came = {}) {
    if (!came.empty()) BIO_write(in_, came.data(), static_cast<int>(came.size()));
    if (!is_done()) {
      SSL_do_handshake(ssl);
    } else {
      char buffer[16384];
      int got;
      while ((got = SSL_read(ssl, buffer, sizeof buffer)) > 0) {
        received.append(buffer, static_cast<std::size_t>(got));
      }
    }
    return take();
  }
  std::string write(std::string_view bytes) {
    SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()));
    return take();
  }
  std::string take() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out_, &bytes);
    std::string taken(bytes, static_cast<std::size_t>(size));
    BIO_reset(out_);
    return taken;
  }
  [[nodiscard]] bool is_done() const { return SSL_is_init_finished(ssl) == 1; }

  SSL* ssl = nullptr;
  std::string received;

 private:
  SSLContextPtr context_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
};

/// What has arrived at a plain descriptor; `ended` when it was closed.
inline std::string read_all(int fd, bool* ended = nullptr) {
  std::string bytes;
  char buffer[65536];
  ssize_t got;
  while ((got = ::read(fd, buffer, sizeof buffer)) > 0) {
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
  if (ended != nullptr) *ended = got == 0 || errno == ECONNRESET;
  return bytes;
}

}  // namespace squall::net
