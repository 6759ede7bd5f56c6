#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/openssl_handles.h"
#include "tls/testing/pki.h"

namespace elb::tls::testing {

using SessionPointer = std::unique_ptr<SSL_SESSION, crypto::OpenSslFree<&SSL_SESSION_free>>;

struct ClientOptions {
  int version_min = TLS1_VERSION;
  int version_max = TLS1_3_VERSION;
  std::string ciphers;   ///< Up to TLS 1.2; empty: OpenSSL's default at level 0.
  std::string suites13;  ///< Empty: OpenSSL's default.
  std::string signature_algorithms;
  std::string groups;
  std::string sni;
  std::vector<std::string> alpn;
  const Issued* certificate = nullptr;
  SSL_SESSION* session = nullptr;  ///< To resume.
};

/// A client made of plain OpenSSL over memory, as independent of the code under test as it can be.
class OpenSslClient {
 public:
  explicit OpenSslClient(const ClientOptions& options);
  ~OpenSslClient();
  OpenSslClient(const OpenSslClient&) = delete;
  OpenSslClient& operator=(const OpenSslClient&) = delete;
  OpenSslClient(OpenSslClient&&) = delete;
  OpenSslClient& operator=(OpenSslClient&&) = delete;

  /// Goes on with the handshake or, after it, takes in what came.
  void Step();
  void Feed(std::string_view bytes);
  [[nodiscard]] std::string TakeOutput();
  [[nodiscard]] bool established() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  /// The fatal alert received, or -1.
  [[nodiscard]] int alert() const { return alert_; }
  [[nodiscard]] const std::vector<int>& warnings() const { return warnings_; }
  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] bool closed() const { return closed_; }  ///< close_notify was received.
  void Send(std::string_view plain);
  void Close() { SSL_shutdown(ssl_.get()); }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  /// Common name of the server's certificate.
  [[nodiscard]] std::string ServerName() const;
  [[nodiscard]] std::size_t chain_size() const;
  [[nodiscard]] int tickets() const { return tickets_; }
  /// The newest ticket's session.
  [[nodiscard]] SessionPointer TakeSession() { return std::move(session_); }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

 private:
  static void OnInfo(const SSL* ssl, int where, int value);
  static int OnSession(SSL* ssl, SSL_SESSION* session);

  SslContextPointer context_;
  SslPointer ssl_;
  SessionPointer session_;
  std::string received_;
  std::vector<int> warnings_;
  int alert_ = -1;
  int tickets_ = 0;
  bool closed_ = false;
};

}  // namespace elb::tls::testing
