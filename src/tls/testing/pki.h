#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crypto/openssl_types.h"
#include "tls/server_context.h"

namespace elb::tls::testing {

enum class KeyKind : std::uint8_t { kRsa, kP256, kP384 };

/// A certificate with its key, made for a test.
struct Issued {
  crypto::X509Pointer certificate;
  crypto::KeyPointer key;

  [[nodiscard]] std::string CertificatePem() const;
  [[nodiscard]] std::string KeyPem() const;
};

struct IssueRequest {
  std::string common_name;
  KeyKind key = KeyKind::kP256;
  int key_number = 0;              ///< Equal numbers share a key: making RSA keys takes long.
  const Issued* issuer = nullptr;  ///< Null: self-signed.
  bool ca = false;
  bool version1 = false;  ///< Without any extension.
  std::string extended_key_usage;
  std::string digest = "SHA256";
  long serial = 0x0abc00;
  long starts_in_seconds = -3600;
  long ends_in_seconds = 86400;
};

[[nodiscard]] Issued Issue(const IssueRequest& request);

/// `issued` (an EC one) with a key that claims to be its own but signs as `other`'s.
[[nodiscard]] Issued WithCrossedKey(const Issued& issued, const Issued& other);

/// Leaf first.
[[nodiscard]] std::shared_ptr<const crypto::ParsedCertificate> ParseChain(
    const std::vector<const Issued*>& chain);
[[nodiscard]] CertificateEntry EntryOf(const std::string& id, const Issued& leaf,
                                       const std::vector<const Issued*>& more = {});

}  // namespace elb::tls::testing
