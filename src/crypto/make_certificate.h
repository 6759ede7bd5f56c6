#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "crypto/certificate.h"

namespace elb::crypto {

enum class NewKey : std::uint8_t { kEcP256, kEcP384, kRsa1024, kRsa2048, kRsa4096 };

/// What a certificate to be made shall say. Serial number and key identifiers are added.
struct CertificateRequest {
  std::string common_name;         ///< 1 to 64 characters.
  std::vector<std::string> names;  ///< DNS names (`*.` allowed) and IP addresses; may be empty.
  NewKey key = NewKey::kEcP256;
  CertificateTime not_before;
  CertificateTime not_after;
};

/// PEM texts of a certificate alone and its PKCS#8 key, as the API takes them.
struct Credentials {
  std::string certificate;
  std::string private_key;
};

/// A self-signed authority that can issue certificates. kInvalid: a name or time is impossible.
[[nodiscard]] Result<Credentials> MakeAuthority(const CertificateRequest& request);

/// A certificate for servers and clients, issued by `authority`. A server presents it followed by
/// nothing: the authority is what its clients trust.
[[nodiscard]] Result<Credentials> MakeCertificate(const CertificateRequest& request,
                                                  const Credentials& authority);

/// A certificate for servers and clients that is its own issuer.
[[nodiscard]] Result<Credentials> MakeSelfSigned(const CertificateRequest& request);

}  // namespace elb::crypto
