#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "crypto/certificate.h"
#include "tls/openssl_handles.h"
#include "tls/server_context.h"

namespace elb::tls {

/// The part of a server context that many listeners share: an `SSL_CTX` for a security policy and
/// a set of trust anchors. Certificates, ALPN and the resumption context are set per connection, so
/// ten thousand listeners with ten thousand certificates need one of these per policy (170 µs and
/// 13 KB each). Immutable, thread-safe.
class PolicyContext {
 public:
  /// Equal arguments give the same object while somebody holds it. Errors as `ServerContext`.
  [[nodiscard]] static Result<std::shared_ptr<const PolicyContext>> Get(
      const PolicySpec& policy, const std::shared_ptr<const crypto::ParsedCertificate>& client_ca);

  PolicyContext(SslContextPointer context, std::vector<std::string> effective_ciphers,
                std::shared_ptr<const crypto::ParsedCertificate> client_ca);

  /// OpenSSL counts references in it; nothing else is ever changed.
  [[nodiscard]] SSL_CTX* context() const { return context_.get(); }
  [[nodiscard]] const std::vector<std::string>& effective_ciphers() const {
    return effective_ciphers_;
  }

 private:
  SslContextPointer context_;
  std::vector<std::string> effective_ciphers_;
  std::shared_ptr<const crypto::ParsedCertificate> client_ca_;
};

}  // namespace elb::tls
