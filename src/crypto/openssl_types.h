#pragma once

// OpenSSL's view of parsed objects. For crypto/ and tls/ only.

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/certificate.h"

namespace elb::crypto {

/// Frees an OpenSSL object with its own function.
template <auto kFree>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using X509Pointer = std::unique_ptr<X509, OpenSslFree<&X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, OpenSslFree<&EVP_PKEY_free>>;

class ParsedCertificate::Handles {
 public:
  explicit Handles(std::vector<X509Pointer> certificates)
      : certificates_(std::move(certificates)) {}
  [[nodiscard]] std::size_t size() const { return certificates_.size(); }
  /// Owned by this object; OpenSSL counts references itself where it keeps one. Not to be changed.
  [[nodiscard]] X509* certificate(std::size_t index) const { return certificates_[index].get(); }

 private:
  std::vector<X509Pointer> certificates_;
};

class ParsedKey::Handle {
 public:
  explicit Handle(KeyPointer key) : key_(std::move(key)) {}
  /// As for certificates.
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }

 private:
  KeyPointer key_;
};

/// The facts of a certificate that did not come from a PEM text, such as a client's.
/// kUnusableCertificate when its key or a name cannot be read.
[[nodiscard]] Result<CertificateFacts> ReadFacts(X509* certificate);

}  // namespace elb::crypto
