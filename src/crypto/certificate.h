#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace elb::crypto {

inline constexpr std::size_t kCertificateTextMax = 65'536;  ///< Characters (data-plane.md 2.3).
inline constexpr std::size_t kKeyTextMax = 8'192;           ///< Characters (data-plane.md 2.3).
inline constexpr std::size_t kChainMax = 11;                ///< Certificates (data-plane.md 2.3).

enum class KeyType : std::uint8_t { kRsa, kEc, kOther };

/// Certificates reach the year 9999, which `WallTime` cannot hold. Never compare the two directly:
/// `std::chrono::floor<std::chrono::seconds>(now)` first.
using CertificateTime = std::chrono::sys_seconds;

/// What one X.509 certificate says.
struct CertificateFacts {
  std::string subject;             ///< RFC 2253.
  std::string issuer;              ///< RFC 2253.
  std::string common_name;         ///< UTF-8, the most specific one; empty if none.
  std::vector<std::string> names;  ///< DNS names and IP addresses of subjectAltName, in its order.
  std::string serial;              ///< Upper-case hex, at least two digits.
  std::string fingerprint_sha256;  ///< Of the DER form, lower-case hex.
  std::string signature;           ///< Algorithm in OpenSSL's words, `sha256WithRSAEncryption`.
  CertificateTime not_before;
  CertificateTime not_after;
  KeyType key_type = KeyType::kRsa;
  int key_bits = 0;
  std::string curve;         ///< `P-256`, `P-384`, `P-521`; empty for others.
  bool self_signed = false;  ///< Issuer and key identifiers name itself.
};

/// Whose words an error uses, and what the certificate is for.
enum class CertificateUse : std::uint8_t {
  kServer,    ///< Errors are kUnusableCertificate.
  kClientCa,  ///< Trust anchors of mutual authentication; errors are kUnusableCaCertificate.
};

/// 1 to 11 certificates of one PEM text: a server's leaf and its chain, or a bundle of CA
/// certificates. Parsed once, immutable, thread-safe.
class ParsedCertificate {
 public:
  /// Accepts white space around lines, any line ends, text outside the blocks and a missing last
  /// newline. Expiry, self-signing, SHA-1, version 1 and missing names are no reason to refuse
  /// (api-v3.md 2.6). A server's leaf must hold a key that `ParsedKey` accepts. Errors: path
  /// `certificate`.
  [[nodiscard]] static Result<std::shared_ptr<const ParsedCertificate>> Parse(
      std::string_view pem, CertificateUse use = CertificateUse::kServer);

  class Handles;  // openssl_types.h
  ParsedCertificate(std::unique_ptr<const Handles> handles, std::vector<CertificateFacts> facts);
  ~ParsedCertificate();
  ParsedCertificate(const ParsedCertificate&) = delete;
  ParsedCertificate& operator=(const ParsedCertificate&) = delete;
  ParsedCertificate(ParsedCertificate&&) = delete;
  ParsedCertificate& operator=(ParsedCertificate&&) = delete;

  [[nodiscard]] std::size_t size() const { return facts_.size(); }
  [[nodiscard]] const CertificateFacts& leaf() const { return facts_.front(); }
  /// One entry per certificate, in the order of the text.
  [[nodiscard]] const std::vector<CertificateFacts>& facts() const { return facts_; }
  /// DER form of certificate `index` < `size()`.
  [[nodiscard]] std::string Der(std::size_t index) const;
  /// PEM form of certificate `index` < `size()`, 64 characters a line.
  [[nodiscard]] std::string Pem(std::size_t index) const;
  [[nodiscard]] const Handles& handles() const { return *handles_; }

 private:
  std::unique_ptr<const Handles> handles_;
  std::vector<CertificateFacts> facts_;
};

/// A private key: RSA of at least 1024 bits, or EC on P-256, P-384 or P-521. Parsed once,
/// immutable, thread-safe.
class ParsedKey {
 public:
  /// PKCS#1, SEC1 or PKCS#8, not encrypted, with the same liberties as certificates. Errors are
  /// kUnusableCertificate, path `private_key`; they never quote the text.
  [[nodiscard]] static Result<std::shared_ptr<const ParsedKey>> Parse(std::string_view pem);

  class Handle;  // openssl_types.h
  ParsedKey(std::unique_ptr<const Handle> handle, KeyType type, int bits);
  ~ParsedKey();
  ParsedKey(const ParsedKey&) = delete;
  ParsedKey& operator=(const ParsedKey&) = delete;
  ParsedKey(ParsedKey&&) = delete;
  ParsedKey& operator=(ParsedKey&&) = delete;

  [[nodiscard]] KeyType type() const { return type_; }
  [[nodiscard]] int bits() const { return bits_; }
  [[nodiscard]] const Handle& handle() const { return *handle_; }

 private:
  std::unique_ptr<const Handle> handle_;
  KeyType type_;
  int bits_;
};

/// kUnusableCertificate, path `private_key`, unless `key` belongs to the leaf and can sign for it.
/// Costs one signature: meant for writes, not for every start.
[[nodiscard]] Result<void> CheckKeyMatches(const ParsedCertificate& certificate,
                                           const ParsedKey& key);

}  // namespace elb::crypto
