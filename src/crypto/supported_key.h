#pragma once

#include <openssl/evp.h>

#include <string>

#include "base/error.h"
#include "crypto/certificate.h"

namespace elb::crypto {

/// What a public or private key is.
struct KeyFacts {
  KeyType type = KeyType::kOther;
  int bits = 0;
  std::string curve;  ///< As `CertificateFacts::curve`; also other curves, by OpenSSL's name.
};
[[nodiscard]] KeyFacts DescribeKey(const EVP_PKEY* key);

/// Refuses keys that no server certificate may have (data-plane.md 2.3): RSA below 1024 bits,
/// other curves than P-256, P-384 and P-521, other algorithms. The error has only a message.
[[nodiscard]] Result<KeyFacts> CheckSupported(const EVP_PKEY* key);

}  // namespace elb::crypto
