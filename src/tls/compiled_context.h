#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tls/openssl_handles.h"
#include "tls/policy_context.h"
#include "tls/server_context.h"
#include "tls/server_names.h"
#include "tls/ticket_keys.h"

namespace elb::tls {

/// A certificate as OpenSSL takes it: the leaf, its key, and the chain to send after it.
class ServerCertificate {
 public:
  /// kUnusableCertificate when the key does not fit.
  [[nodiscard]] static Result<ServerCertificate> Create(const CertificateEntry& entry);

  [[nodiscard]] const std::string& id() const { return entry_.id; }
  [[nodiscard]] X509* leaf() const { return entry_.chain->handles().certificate(0); }
  [[nodiscard]] EVP_PKEY* key() const { return entry_.key->handle().key(); }
  [[nodiscard]] STACK_OF(X509) * chain() const { return chain_.get(); }
  [[nodiscard]] crypto::KeyType type() const { return entry_.key->type(); }

 private:
  ServerCertificate(CertificateEntry entry, CertificateStackPointer chain)
      : entry_(std::move(entry)), chain_(std::move(chain)) {}

  CertificateEntry entry_;
  CertificateStackPointer chain_;  ///< Without the leaf and a self-signed root at the end.
};

/// What a connection may present: OpenSSL takes the EC one if the client can use it.
struct CertificateChoice {
  const ServerCertificate* ec = nullptr;
  const ServerCertificate* rsa = nullptr;
};

/// What handshakes of one listener need. Immutable, thread-safe.
class ServerContext::Compiled {
 public:
  using SessionContext = std::array<unsigned char, 32>;

  [[nodiscard]] static Result<std::unique_ptr<const Compiled>> Create(const ServerSpec& spec,
                                                                      TicketKeys& keys);

  [[nodiscard]] const PolicyContext& policy() const { return *policy_; }
  [[nodiscard]] const TicketKeys& keys() const { return *keys_; }
  /// Sessions of other contexts are not resumed.
  [[nodiscard]] const SessionContext& session_context() const { return session_context_; }
  [[nodiscard]] Http2 http2() const { return http2_; }
  [[nodiscard]] bool keep_client_hello() const { return keep_client_hello_; }
  /// `server_name` as made by `NormalServerName`.
  [[nodiscard]] CertificateChoice Choose(std::string_view server_name) const;

 private:
  Compiled(const ServerSpec& spec, std::shared_ptr<const PolicyContext> policy, TicketKeys& keys);
  [[nodiscard]] const ServerCertificate* At(std::size_t index) const;

  std::shared_ptr<const PolicyContext> policy_;
  TicketKeys* keys_;
  std::vector<ServerCertificate> certificates_;  ///< The default one first.
  ServerNames names_;
  SessionContext session_context_{};
  Http2 http2_;
  bool keep_client_hello_;
};

}  // namespace elb::tls
