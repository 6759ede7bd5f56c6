#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/certificate.h"

namespace elb::tls {

class TicketKeys;

/// TLS versions and suites of a security policy, as data-plane.md 2.1 and 2.2 spell them
/// (`TLSv1` `TLSv1.1` `TLSv1.2` `TLSv1.3`; OpenSSL suite names, server order). Suites the library
/// lacks are skipped.
struct PolicySpec {
  std::vector<std::string> protocols;
  std::vector<std::string> ciphers;
  friend bool operator==(const PolicySpec&, const PolicySpec&) = default;
};

/// A server certificate with its key, parsed once and shared.
struct CertificateEntry {
  /// From PEM texts; `key_pem` empty: CA certificates. Errors: see
  /// `crypto::ParsedCertificate::Parse` and `crypto::ParsedKey::Parse`.
  [[nodiscard]] static Result<CertificateEntry> Parse(std::string id, std::string_view chain_pem,
                                                      std::string_view key_pem);

  std::string id;  ///< API id, for logs and X-Forwarded-TLS-Certificate-ID.
  std::shared_ptr<const crypto::ParsedCertificate> chain;
  std::shared_ptr<const crypto::ParsedKey> key;
};

/// A certificate chosen by server name, with the names of its `domain` field.
struct SniEntry {
  CertificateEntry certificate;
  std::vector<std::string> names;  ///< Lower case, `*.` allowed leftmost.
};

enum class SniMatch : std::uint8_t { kWildcard, kLongestSuffix };
enum class Http2 : std::uint8_t { kOff, kOn };

/// Everything that decides a listener's handshakes.
struct ServerSpec {
  PolicySpec policy;
  CertificateEntry default_certificate;
  std::vector<SniEntry> sni;  ///< Empty: SNI off.
  SniMatch sni_match = SniMatch::kWildcard;
  /// Trust anchors of mutual authentication; null: one-way (data-plane.md 2.6).
  std::shared_ptr<const crypto::ParsedCertificate> client_ca;
  Http2 http2 = Http2::kOff;
  /// Tickets are good only for an equal value: listener id and TLS generation (data-plane.md 2.7).
  std::string resumption_context;
  /// Keep the ClientHello's facts for X-Forwarded-Clientcert-ciphers, JA3 and JA4.
  bool keep_client_hello = false;
};

/// An immutable, compiled `ServerSpec`: what OpenSSL has to say against it, it says in `Create`, on
/// the control thread. Shared by all workers; thread-safe. The last reference may die anywhere.
class ServerContext {
 public:
  /// `keys` must outlive the context. Errors name the field of the listener at fault
  /// (`default_tls_container_ref`, `sni_container_refs[i]`, `client_ca_tls_container_ref`,
  /// `tls_ciphers_policy`).
  [[nodiscard]] static Result<std::shared_ptr<const ServerContext>> Create(const ServerSpec& spec,
                                                                           TicketKeys& keys);
  /// Suites in effect, in server order, OpenSSL names.
  [[nodiscard]] const std::vector<std::string>& effective_ciphers() const;

  class Compiled;  // Defined inside tls/ only.
  explicit ServerContext(std::unique_ptr<const Compiled> compiled);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;
  ServerContext(ServerContext&&) = delete;
  ServerContext& operator=(ServerContext&&) = delete;
  [[nodiscard]] const Compiled& compiled() const { return *compiled_; }

 private:
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace elb::tls
